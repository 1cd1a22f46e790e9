"""How much an agent may have at once: held from the offer on, counted by channel and by budget."""

from __future__ import annotations

from services.routing.domain import pace
from services.routing.domain.choice import Entry, Standing
from services.routing.domain.directory import AgentProfile, CapacityPolicy, ChannelRule
from services.routing.domain.model import AgentState

GroupKey = tuple[tuple[str, ...], tuple[str, ...], tuple[tuple[str, int], ...], str, int]
"""Capability profile: teams, languages, skills with levels, capacity policy, seniority."""
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
        "budget",
        "conversations",
        "counts",
        "entries",
        "exclusive_held",
        "feed_seq",
        "group_key",
        "idle_since_ms",
        "interruptible_budget",
        "interruptible_used",
        "last_assigned_at_ms",
        "live_used",
        "missed",
        "offers",
        "paced",
        "paced_until_ms",
        "policy",
        "presence",
        "presence_epoch",
        "profile",
        "ramp_at_ms",
        "reason",
        "rules",
        "since_ms",
        "stopped",
        "turn",
        "window",
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
        self.idle_since_ms = state.idle_since_ms
        self.turn = state.turn
        self.window = pace.Window(state.window_start_ms, state.window_count, state.window_before)
        self.paced = bool(policy.fair_share or (policy.ramp and profile.started_at_ms))
        """Whether time changes what he may take."""
        self.paced_until_ms = 0
        """When the fair share lets him take more; 0 = it does now, or no time is known."""
        self.ramp_at_ms = 0
        """When his budget grows next."""
        self.budget = policy.budget
        self.interruptible_budget = policy.interruptible_budget
        self.stopped = False
        """A supervisor drains him: he takes nothing more."""
        self.live_used = 0
        self.interruptible_used = 0
        self.exclusive_held = 0
        self.counts: dict[str, int] = {}
        self.conversations: set[str] = set()
        self.offers: set[str] = set()
        self.blocked: dict[str, str] = {}
        self.entries: dict[tuple[str, Standing], Entry] = {}
        """By channel with room and order: the one entry of the heaps that counts."""

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
            idle_since_ms=self.idle_since_ms,
            turn=self.turn,
            window_start_ms=self.window.start_ms,
            window_count=self.window.number,
            window_before=self.window.before,
        )

    def keep_pace(self, at_ms: int) -> None:
        """Bring what time changes up to the instant: the budget of somebody new, the fair share."""
        policy, started_at_ms = self.policy, self.profile.started_at_ms
        if policy.ramp and started_at_ms:
            percent = pace.ramp_percent(policy.ramp, at_ms - started_at_ms)
            # The lightest conversation always fits: a ramp slows down, it does not shut out.
            live = [r.weight for r in policy.channels if not r.interruptible]
            soft = [r.weight for r in policy.channels if r.interruptible]
            self.budget = max(policy.budget * percent // pace.FULL, min(live, default=0))
            self.interruptible_budget = max(
                policy.interruptible_budget * percent // pace.FULL, min(soft, default=0)
            )
            self.ramp_at_ms = pace.ramp_change_ms(policy.ramp, started_at_ms, at_ms)
        self.paced_until_ms = 0
        if policy.fair_share:
            left = policy.fair_share - len(self.offers)
            window_ms = policy.fair_share_window_ms
            if left > 0 and pace.taken(self.window, at_ms, window_ms) >= left:
                self.paced_until_ms = pace.free_again_ms(self.window, at_ms, window_ms, left)

    def instants(self) -> tuple[int, ...]:
        """When time changes what the agent may take."""
        return tuple(t for t in (self.paced_until_ms, self.ramp_at_ms) if t)

    def count_assignment(self, at_ms: int) -> None:
        """An assignment begins."""
        self.last_assigned_at_ms = self.idle_since_ms = at_ms
        if self.policy.fair_share:
            self.window = pace.counted(self.window, at_ms, self.policy.fair_share_window_ms)

    def empty(self) -> None:
        """As without any work."""
        self.live_used = self.interruptible_used = self.exclusive_held = 0
        self.counts, self.conversations, self.offers = {}, set(), set()

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
        if self.stopped:
            return "draining"
        if len(self.offers) >= policy.max_open_offers:
            return "offers"
        if policy.fair_share and (self.paced_until_ms or len(self.offers) >= policy.fair_share):
            return "fair-share"
        if rule.interruptible:
            if self.interruptible_used + rule.weight > self.interruptible_budget:
                return "budget"
        else:
            if self.exclusive_held or (rule.exclusive and self.live_used):
                return "exclusive"
            if self.live_used + rule.weight > self.budget:
                return "budget"
        if self.counts.get(rule.channel, 0) >= rule.max_count:
            return "count"
        return FREE

    def load_after(self, rule: ChannelRule) -> int:
        """Share of the budget in use after one more, in ten-thousandths."""
        if rule.interruptible:
            return (self.interruptible_used + rule.weight) * SCALE // max(1, self.interruptible_budget)
        return (self.live_used + rule.weight) * SCALE // max(1, self.budget)


def group_key(profile: AgentProfile) -> GroupKey:
    return (
        tuple(sorted(profile.teams)),
        tuple(sorted(profile.languages)),
        tuple(sorted(profile.skills)),
        profile.capacity_id,
        profile.seniority,
    )
