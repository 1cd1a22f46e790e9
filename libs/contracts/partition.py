"""The partition of a key, as Kafka's own producers compute it."""

from functools import lru_cache

PARTITIONS = 12
"""Partitions of every topic, so that a key has the same partition in all of them."""


def murmur2(data: bytes) -> int:
    """The 32-bit MurmurHash2 with Kafka's seed, unsigned."""
    mask = 0xFFFFFFFF
    m = 0x5BD1E995
    length = len(data)
    h = (0x9747B28C ^ length) & mask
    full = length & ~3
    for i in range(0, full, 4):
        k = int.from_bytes(data[i : i + 4], "little")
        k = (k * m) & mask
        k = ((k ^ (k >> 24)) * m) & mask
        h = ((h * m) & mask) ^ k
    tail = data[full:]
    if tail:
        h = ((h ^ int.from_bytes(tail, "little")) * m) & mask
    h = ((h ^ (h >> 13)) * m) & mask
    return h ^ (h >> 15)


@lru_cache(maxsize=65536)
def partition_of(key: str, partitions: int = PARTITIONS) -> int:
    """Partition of `key`, 0 to partitions - 1: murmur2 with the sign bit cleared, modulo."""
    return (murmur2(key.encode()) & 0x7FFFFFFF) % partitions
