"""Names and presence: `routing.directory.v1`, `routing.presence.v1`."""

from libs.contracts import PersonChanged, PresenceChanged, PresenceState, TeamChanged
from libs.streams import Received
from services.analytics.adapters.values import Label, Presence, PresenceInterval
from services.analytics.context import AnalyticsContext
from services.analytics.handlers.declaration import Emitted, stream


@stream.on(TeamChanged, load=lambda e, ctx: [ctx.labels.want(("team", e.team_id))])
async def name_team(received: Received[TeamChanged], ctx: AnalyticsContext) -> Emitted:
    e = received.event
    ctx.name(Label("team", e.team_id, e.name, e.version, e.removed))
    return ()


@stream.on(PersonChanged, load=lambda e, ctx: [ctx.labels.want(("person", e.person_id))])
async def name_person(received: Received[PersonChanged], ctx: AnalyticsContext) -> Emitted:
    e = received.event
    ctx.name(Label("person", e.person_id, e.name, e.version, e.removed))
    return ()


@stream.on(PresenceChanged, load=lambda e, ctx: [ctx.presence.want(e.agent_id)])
async def note_presence(received: Received[PresenceChanged], ctx: AnalyticsContext) -> Emitted:
    e = received.event
    before = ctx.presence.get(e.agent_id)
    if before is not None and e.changed_at_ms <= before.since_ms:
        return ()
    if before is not None:
        ended = PresenceInterval(e.agent_id, before.since_ms, e.changed_at_ms, before.state)
        ctx.presence_intervals.put(ended)
    state = PresenceState.Name(e.state).removeprefix("PRESENCE_STATE_").lower()
    ctx.presence.put(Presence(e.agent_id, state, e.changed_at_ms))
    return ()
