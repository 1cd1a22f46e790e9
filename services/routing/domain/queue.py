"""The waiting items: one bucket per requirement signature, each a set of heaps with lazy deletion.

Items with exclusions or a hold live in variants of their bucket, so that the head of a heap is right for
every agent the variant admits. Order is the item's `order`, total and independent of the history of the heap.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import NamedTuple

from services.routing.domain.directory import Directory
from services.routing.domain.model import Item
from services.routing.domain.queue_policy import care_of

Order = tuple[int, int, str]
Variant = tuple[tuple[str, ...], str, bool]


class Signature(NamedTuple):
    """What an agent must have to serve an item."""

    queue_id: str
    channel: str
    language: str
    skills: tuple[tuple[str, int], ...]
    ring: int
    seniority: int = 0


def signature_in(directory: Directory, item: Item) -> Signature:
    """What a directory asks of an agent for the item."""
    queue, skills = directory.queue_by_id[item.queue_id], item.skills
    if queue.skills:
        levels = dict(queue.skills)
        for skill, level in item.skills:
            levels[skill] = max(level, levels.get(skill, 0))
        skills = tuple(sorted(levels.items()))
    seniority = care_of(queue, item).seniority if item.tier or item.debt else 0
    return Signature(item.queue_id, item.channel, item.language, skills, item.ring, seniority)


class _Heap:
    __slots__ = ("entries", "live")

    def __init__(self) -> None:
        self.entries: list[tuple[int, int, str, int]] = []
        self.live = 0


class Bucket:
    """The waiting items of one signature."""

    __slots__ = ("heaps", "signature", "size")

    def __init__(self, signature: Signature) -> None:
        self.signature = signature
        self.heaps: dict[Variant, _Heap] = {}
        self.size = 0


class WaitingRoom:
    """All waiting items of a pool. Adding, removing and looking at a head cost O(log n)."""

    def __init__(self) -> None:
        self.buckets: dict[Signature, Bucket] = {}
        self.signatures: list[Signature] = []
        """In order of first appearance; grows only, bounded by the directory."""
        self._where: dict[str, tuple[Signature, Variant, int]] = {}
        self._held: dict[str, set[str]] = {}
        self._tokens = 0

    def __len__(self) -> int:
        return len(self._where)

    def __contains__(self, conversation_id: str) -> bool:
        return conversation_id in self._where

    def add(self, item: Item, signature: Signature) -> None:
        """Let an item wait; one that waits already is moved."""
        self.remove(item.conversation_id)
        bucket = self.buckets.get(signature)
        if bucket is None:
            bucket = self.buckets[signature] = Bucket(signature)
            self.signatures.append(signature)
        variant: Variant = (item.excluded, item.held_for, item.yields_until_ms > 0)
        heap = bucket.heaps.get(variant)
        if heap is None:
            heap = bucket.heaps[variant] = _Heap()
        self._tokens += 1
        heappush(heap.entries, (item.key_ms, item.eligible_at_ms, item.conversation_id, self._tokens))
        heap.live += 1
        bucket.size += 1
        self._where[item.conversation_id] = (signature, variant, self._tokens)
        if item.held_for:
            self._held.setdefault(item.held_for, set()).add(item.conversation_id)

    def remove(self, conversation_id: str) -> None:
        """Forget a waiting item; unknown ones are ignored."""
        place = self._where.pop(conversation_id, None)
        if place is None:
            return
        signature, variant, _ = place
        bucket = self.buckets[signature]
        bucket.size -= 1
        heap = bucket.heaps[variant]
        heap.live -= 1
        if heap.live == 0:
            del bucket.heaps[variant]
        elif len(heap.entries) > 64 and len(heap.entries) > 4 * heap.live:
            heap.entries = [e for e in heap.entries if self._is_live(e)]
            heapify(heap.entries)
        if variant[1]:
            held = self._held[variant[1]]
            held.discard(conversation_id)
            if not held:
                del self._held[variant[1]]

    def head(self, bucket: Bucket, agent_id: str, *, kept: bool = False) -> Order | None:
        """The first item of the bucket that may be offered to the agent; `kept` = he is left to what does not yield."""
        best: tuple[int, int, str, int] | None = None
        where = self._where
        for (excluded, held_for, yields), heap in bucket.heaps.items():
            if agent_id in excluded or (held_for and held_for != agent_id):
                continue
            if kept and yields and not held_for:
                continue
            entries = heap.entries
            first = entries[0]
            while (place := where.get(first[2])) is None or place[2] != first[3]:
                heappop(entries)
                first = entries[0]
            if best is None or first < best:
                best = first
        return None if best is None else best[:3]

    def held_for(self, agent_id: str) -> tuple[str, ...]:
        """Waiting items that are held for an agent, by id."""
        return tuple(sorted(self._held.get(agent_id, ())))

    def counts(self) -> dict[str, int]:
        """Waiting items by queue."""
        result: dict[str, int] = {}
        for signature, bucket in self.buckets.items():
            if bucket.size:
                result[signature.queue_id] = result.get(signature.queue_id, 0) + bucket.size
        return result

    def _is_live(self, entry: tuple[int, int, str, int]) -> bool:
        place = self._where.get(entry[2])
        return place is not None and place[2] == entry[3]
