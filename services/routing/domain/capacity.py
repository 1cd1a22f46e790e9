"""How much an agent may have at once: held from the offer on, counted by channel and by budget."""

from __future__ import annotations

from services.routing.domain.directory import AgentProfile, CapacityPolicy, ChannelRule
from services.routing.domain.model import AgentState

GroupKey = tuple[tuple[str, ...], tuple[str, ...], tuple[tuple[str, int], ...], str]
"""Capability profile: teams, languages, skills with levels, capacity policy."""
Entry = tuple[int, int, str]
"""An agent with room in the heap of his group and a channel: (load after one more, last assigned, agent id)."""
FREE = ""
SCALE = 10_000
NO_RULE = ChannelRule(channel="", weight=0, max_count=0)


class Seat:
    """An agent at work: the directory's profile, the remembered state, and the load that follows from both
    tables.

    Mutable and private to the engine; `state()` is the frozen row.
    """

    __slots__ = (
        "agent_id",
        "blocked",
        "conversations",
        "counts",
        "entries",
        "exclusive_held",
        "feed_seq",
        "group_key",
        "interruptible_used",
        "last_assigned_at_ms",
        "live_used",
        "missed",
        "offers",
        "policy",
        "presence",
        "presence_epoch",
        "profile",
        "reason",
        "rules",
        "since_ms",
    )

    def __init__(self, profile: AgentProfile, policy: CapacityPolicy, state: AgentState) -> None:
        self.agent_id = profile.agent_id
        self.profile = profile
        self.group_key = group_key(profile)
        self.policy = policy
        self.rules: dict[str, ChannelRule] = {r.channel: r for r in policy.channels}
        self.presence = state.presence
        self.presence_epoch = state.presence_epoch
        self.since_ms = state.since_ms
        self.reason = state.reason
        self.missed = state.missed
        self.feed_seq = state.feed_seq
        self.last_assigned_at_ms = state.last_assigned_at_ms
        self.live_used = 0
        self.interruptible_used = 0
        self.exclusive_held = 0
        self.counts: dict[str, int] = {}
        self.conversations: set[str] = set()
        self.offers: set[str] = set()
        self.blocked: dict[str, str] = {}
        self.entries: dict[str, Entry] = {}
        """By channel with room: the one entry of the heaps that counts."""

    def state(self) -> AgentState:
        return AgentState(
            agent_id=self.agent_id,
            presence=self.presence,
            presence_epoch=self.presence_epoch,
            since_ms=self.since_ms,
            reason=self.reason,
            missed=self.missed,
            feed_seq=self.feed_seq,
            last_assigned_at_ms=self.last_assigned_at_ms,
        )

    def hold(self, channel: str) -> None:
        """Take the units of one conversation of the channel."""
        self._count(channel, 1)

    def free(self, channel: str) -> None:
        """Give the units of one conversation back."""
        self._count(channel, -1)

    def _count(self, channel: str, sign: int) -> None:
        rule = self.rules.get(channel, NO_RULE)
        if rule.interruptible:
            self.interruptible_used += sign * rule.weight
        else:
            self.live_used += sign * rule.weight
        if rule.exclusive:
            self.exclusive_held += sign
        self.counts[channel] = self.counts.get(channel, 0) + sign

    def block(self, rule: ChannelRule) -> str:
        """Why the agent can take nothing more of the channel now; FREE when he can."""
        policy = self.policy
        if self.presence != "online":
            return self.presence
        if len(self.offers) >= policy.max_open_offers:
            return "offers"
        if rule.interruptible:
            if self.interruptible_used + rule.weight > policy.interruptible_budget:
                return "budget"
        else:
            if self.exclusive_held or (rule.exclusive and self.live_used):
                return "exclusive"
            if self.live_used + rule.weight > policy.budget:
                return "budget"
        if self.counts.get(rule.channel, 0) >= rule.max_count:
            return "count"
        return FREE

    def load_after(self, rule: ChannelRule) -> int:
        """Share of the budget in use after one more, in ten-thousandths."""
        if rule.interruptible:
            return (self.interruptible_used + rule.weight) * SCALE // max(1, self.policy.interruptible_budget)
        return (self.live_used + rule.weight) * SCALE // max(1, self.policy.budget)


def group_key(profile: AgentProfile) -> GroupKey:
    return (
        tuple(sorted(profile.teams)),
        tuple(sorted(profile.languages)),
        tuple(sorted(profile.skills)),
        profile.capacity_id,
    )
