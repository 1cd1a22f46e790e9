"""Which IP addresses an outgoing request may reach: public ones, judged by own rules.

The standard library's `is_global` calls some dangerous ones global (NAT64 of a link-local address, 6to4 of
loopback, multicast, site-local), so the ranges are listed here (IANA special-purpose registries).
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_REFUSED_V4: Final = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
        "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
        "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    )
)  # fmt: skip
_UNICAST_V6: Final = IPv6Network("2000::/3")
_REFUSED_V6: Final = tuple(
    IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)
_NAT64: Final = IPv6Network("64:ff9b::/96")
_MAPPED: Final = IPv6Network("::ffff:0:0/96")


def is_public(address: Address) -> bool:
    """True for a public address. Mapped and NAT64 addresses are judged by the IPv4 inside."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _REFUSED_V4)
    if address.scope_id is not None:
        return False
    if address in _NAT64 or address in _MAPPED:
        return is_public(IPv4Address(int(address) & 0xFFFF_FFFF))
    return address in _UNICAST_V6 and not any(address in network for network in _REFUSED_V6)


def is_allowed(address: Address, allowed: Sequence[Network]) -> bool:
    """Public, or inside a network that the operator allows. A mapped address is also looked for as IPv4."""
    if is_public(address):
        return True
    inner = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return any(one in network for one in (address, inner) if one is not None for network in allowed)


def parse_networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """The operator's allow-list, such as `10.1.0.0/16`; ValueError names the entry that is not one."""
    return tuple(ip_network(text, strict=True) for text in texts)


def parse_address(text: str) -> Address | None:
    """The address, when `text` is one in its normal form; None for a name."""
    try:
        return ip_address(text)
    except ValueError:
        return None
