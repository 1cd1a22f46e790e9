"""Who a visitor is, and from where they come."""

from ipaddress import ip_network

from hypothesis import given
from hypothesis import strategies as st

from libs.runtime import ManualClock
from libs.web import Problem
from services.ingest.api.widget_access import Rates, address_of
from services.ingest.domain.model import ChannelName
from services.ingest.domain.visitors import Visitor

PROXIES = [ip_network("10.0.0.0/8"), ip_network("::1/128")]
OUTSIDE = st.ip_addresses(v=4, network="203.0.113.0/24").map(str)
ANYTHING = st.lists(
    st.one_of(OUTSIDE, st.just("10.1.1.1"), st.text("0123456789.:a, ", max_size=12)), max_size=6
)


@given(OUTSIDE, ANYTHING)
def test_who_comes_by_no_gateway_of_ours_cannot_choose_their_address(peer: str, header: list[str]) -> None:
    assert address_of(peer, ", ".join(header), PROXIES) == peer


@given(OUTSIDE, ANYTHING, st.integers(1, 3))
def test_behind_gateways_the_last_address_that_is_none_of_theirs_counts(
    peer: str, forged: list[str], gateways: int
) -> None:
    passed = [*forged, peer, *[f"10.0.0.{n}" for n in range(1, gateways)]]
    assert address_of("10.0.0.9", ", ".join(passed), PROXIES) == peer


@given(st.integers(1, 50), st.lists(st.integers(0, 20_000), max_size=150))
def test_no_minute_takes_more_than_a_full_bucket_and_what_flows_in(
    per_minute: int, pauses: list[int]
) -> None:
    clock = ManualClock(1_780_000_000_000)
    rates, taken = Rates(clock), []
    for pause in pauses:
        clock.advance(pause)
        try:
            rates.check("one", per_minute)
        except Problem:
            continue
        taken.append(clock.now_ms())
    for at in taken:
        within = [one for one in taken if at <= one < at + 60_000]
        assert len(within) <= 2 * per_minute + 1


@given(st.text(min_size=1, max_size=20), st.text("ab", min_size=1, max_size=3))
def test_a_browser_is_never_the_customer_of_the_same_name(id_: str, account: str) -> None:
    known = Visitor(ChannelName.CHAT, account, id_, verified=True)
    unknown = Visitor(ChannelName.CHAT, account, id_)
    assert known.identity != unknown.identity
    assert known.scope != unknown.scope
