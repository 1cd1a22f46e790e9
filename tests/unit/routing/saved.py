"""What a service would have saved of a pool: only what the steps said had changed."""

from __future__ import annotations

from services.routing.domain.engine import Engine
from services.routing.domain.rebuilding import Rows
from services.routing.domain.state import Step


class Saved:
    """The rows as a service would have saved them: only what the steps said had changed."""

    def __init__(self, engine: Engine) -> None:
        self.rows = engine.snapshot()
        self.items = {i.conversation_id: i for i in self.rows.items}
        self.offers = {o.offer_id: o for o in self.rows.offers}
        self.clocks = {c.clock_id: c for c in self.rows.clocks}
        self.agents = {a.agent_id: a for a in self.rows.agents}
        self.profiles = {p.agent_id: p for p in self.rows.profiles}
        self.results = {r.command_id: r for r in self.rows.results}
        self.notices = {n.notice_id: n for n in self.rows.notices}
        self.pool, self.directory = self.rows.pool, self.rows.directory
        self.shadow = self.rows.shadow

    def save(self, step: Step) -> None:
        self.items.update(step.items)
        moved = {i.conversation_id for i in step.items.values() if i.moved_to}
        self.clocks = {k: v for k, v in self.clocks.items() if v.conversation_id not in moved}
        self.offers.update(step.offers)
        self.clocks.update(step.clocks)
        self.agents.update(step.agents)
        self.profiles.update(step.profiles)
        self.notices.update(step.notices)
        for agent_id in step.removed_agents:
            self.profiles.pop(agent_id, None)
        if step.result is not None:
            self.results[step.result.command_id] = step.result
        self.pool = step.pool
        self.directory = step.directory or self.directory
        self.shadow = step.shadow or self.shadow

    def load(self) -> Rows:
        return Rows(
            self.pool,
            self.directory,
            tuple(self.profiles[p] for p in sorted(self.profiles)),
            tuple(self.agents[a] for a in sorted(self.agents)),
            tuple(self.items.values()),
            tuple(self.offers.values()),
            tuple(self.clocks.values()),
            tuple(self.results.values()),
            tuple(self.notices.values()),
            self.shadow,
        )
