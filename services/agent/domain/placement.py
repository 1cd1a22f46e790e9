"""Where routing has put a conversation, and the clocks that run for it. Only shown here: routing decides."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Clock:
    """One clock of a service level agreement. `due_at_ms` is 0 while it is paused."""

    metric: str
    """first_response, next_response, update, resolution, agent_work or total_resolution."""
    instance: int
    state: str
    """running, paused, met or cancelled."""
    started_at_ms: int
    due_at_ms: int
    target_ms: int
    ended_at_ms: int = 0
    elapsed_ms: int = 0
    warned_at_ms: int = 0
    breached: bool = False
    escalated: str = ""
    """The newest step of the queue's ladder that was taken."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Team, queue and agent of a conversation. An older `epoch` never replaces a newer one."""

    conversation_id: str
    team_id: str = ""
    queue_id: str = ""
    agent_id: str = ""
    last_agent_id: str = ""
    handling: str = ""
    epoch: int = 0
    since_ms: int = 0
    """Since when the team or the agent has it."""
    clocks: tuple[Clock, ...] = ()


def queued(
    placement: Placement, team_id: str, queue_id: str, handling: str, epoch: int, at_ms: int
) -> Placement:
    """It waits in a queue."""
    if epoch < placement.epoch:
        return placement
    return replace(
        placement,
        team_id=team_id,
        queue_id=queue_id,
        agent_id="",
        handling=handling,
        epoch=epoch,
        since_ms=at_ms,
    )


def assigned(
    placement: Placement, agent_id: str, team_id: str, queue_id: str, epoch: int, at_ms: int
) -> Placement:
    """A person has it."""
    if epoch < placement.epoch:
        return placement
    return replace(
        placement,
        agent_id=agent_id,
        last_agent_id=agent_id,
        team_id=team_id or placement.team_id,
        queue_id=queue_id or placement.queue_id,
        epoch=epoch,
        since_ms=at_ms,
    )


def released(placement: Placement, agent_id: str, epoch: int, at_ms: int) -> Placement:
    """The person no longer has it."""
    if epoch < placement.epoch or placement.agent_id != agent_id:
        return placement
    return replace(placement, agent_id="", epoch=epoch, since_ms=at_ms)


def clock_of(placement: Placement, metric: str, instance: int) -> Clock:
    """The clock of a metric, a blank one when there is none or this is a later instance."""
    for clock in placement.clocks:
        if clock.metric == metric and clock.instance >= instance:
            return clock
    return Clock(metric, instance, "running", 0, 0, 0)


def with_clock(placement: Placement, clock: Clock) -> Placement:
    """The placement with this clock in place of the metric's older one."""
    others = tuple(other for other in placement.clocks if other.metric != clock.metric)
    return replace(placement, clocks=tuple(sorted((*others, clock), key=lambda c: c.metric)))
