"""A small pool for tests: two teams, three queues, a directory that has every kind of rule."""

from __future__ import annotations

from dataclasses import replace

from services.routing.domain.calendars import Calendar, Hours
from services.routing.domain.commands import AcceptOffer, Enqueue, PutAgent, SetPresence
from services.routing.domain.directory import (
    AgentProfile,
    CapacityPolicy,
    ChannelRule,
    Directory,
    Filter,
    Team,
)
from services.routing.domain.engine import Engine
from services.routing.domain.events import AgentOffered
from services.routing.domain.model import Handling, PresenceState, Result, Urgency
from services.routing.domain.queue_policy import BotRules, Care, Queue, Reserve, Ring
from services.routing.domain.relief import Relief
from services.routing.domain.sla_policy import BREACH_REROUTES, LadderStep, SlaPolicy
from services.routing.domain.state import Step

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
T0 = 1_780_000_000_000

DIRECTORY = Directory(
    version=1,
    teams=(Team("billing", "Billing"), Team("desk", "IT help desk")),
    queues=(
        Queue(
            "billing",
            "billing",
            "Billing",
            SlaPolicy(HOUR, 8 * HOUR),
            boosts=(("high", HOUR), ("low", 0)),
            offer_timeout_ms=30 * SECOND,
            exclusion_ms=20 * SECOND,
        ),
        Queue(
            "desk",
            "desk",
            "IT help desk",
            SlaPolicy(2 * HOUR, 24 * HOUR),
            offer_timeout_ms=30 * SECOND,
            language_relax_ms=5 * MINUTE,
            exclusion_ms=20 * SECOND,
        ),
        Queue(
            "vip-desk",
            "desk",
            "Certified help desk",
            SlaPolicy(HOUR, 8 * HOUR),
            skills=(("certified", 2),),
            offer_timeout_ms=30 * SECOND,
            exclusion_ms=20 * SECOND,
        ),
    ),
    filters=(
        Filter("billing", topics=("invoice", "payment")),
        Filter("vip-desk", topics=("technical",), urgencies=("high",)),
        Filter("desk"),
    ),
    capacities=(
        CapacityPolicy(
            "default",
            budget=60,
            interruptible_budget=20,
            channels=(
                ChannelRule("chat", 20, 2),
                ChannelRule("api", 30, 2),
                ChannelRule("mail", 5, 3, interruptible=True),
                ChannelRule("web", 10, 2, interruptible=True),
                ChannelRule("voice", 60, 1, exclusive=True),
            ),
            max_open_offers=3,
        ),
    ),
)

_DAY = 24 * HOUR
RICH = replace(
    DIRECTORY,
    hop_limit=2,
    reserve=Reserve(("desk",), 2 * MINUTE),
    calendars=(
        Calendar("day", "Europe/Rome", tuple(Hours(day, 540, 1800) for day in range(7))),
        Calendar(
            "office",
            "Europe/Berlin",
            tuple(Hours(day, 6 * 60, 22 * 60) for day in range(6)),
            specials=(("2026-05-29", ()),),
        ),
    ),
    queues=(
        replace(
            DIRECTORY.queues[0],
            pick="longest_idle",
            tier_boosts=(("gold", 100 * HOUR),),
            debt_boost_ms=HOUR,
            continuity_boost_ms=HOUR,
            tiers=(("gold", Care(ring=1)),),
            in_debt=Care(seniority=1),
            bot=BotRules(30 * SECOND, 5 * MINUTE),
            relief=Relief(
                hours="day",
                follow="desk",
                escalates_to="desk",
                escalation_boost_ms=HOUR,
                call_back=True,
            ),
            rings=(
                Ring(3 * MINUTE, drop_language=True),
                Ring(HOUR, teams=("desk",), drop_seniority=True),
            ),
            sla=SlaPolicy(
                20 * MINUTE,
                8 * HOUR,
                "office",
                next_response_ms=10 * MINUTE,
                update_ms=30 * MINUTE,
                agent_work_ms=2 * HOUR,
                total_resolution_ms=24 * HOUR,
                by_urgency=(("high", (("first_response", 5 * MINUTE), ("resolution", HOUR))),),
                ladder=(
                    LadderStep("notify", percent=50),
                    LadderStep("boost", percent=80, boost_ms=10 * MINUTE),
                    LadderStep("page", offset_ms=-MINUTE),
                    *BREACH_REROUTES,
                    LadderStep("reassign", percent=150, metrics=("agent_work", "next_response")),
                    LadderStep("escalate", percent=200, metrics=("first_response",)),
                    LadderStep("manager", offset_ms=HOUR, person="bo", around_the_clock=True),
                ),
            ),
        ),
        replace(
            DIRECTORY.queues[1],
            pick="round_robin",
            parallel_offers=2,
            language_relax_ms=0,
            sla=SlaPolicy(2 * HOUR, 24 * HOUR, next_response_ms=HOUR, update_ms=HOUR, update_in_pending=True),
            preferred_skills=(("network", 1), ("certified", 1)),
            rings=(
                Ring(MINUTE, drop_skills=("certified",)),
                Ring(5 * MINUTE, drop_skills=("network",), drop_language=True),
            ),
        ),
        replace(
            DIRECTORY.queues[2],
            pick="best_level",
            auto_accept=True,
            tier_boosts=(("gold", HOUR),),
            relief=Relief("desk", overflow_after_ms=20 * MINUTE),
        ),
    ),
    capacities=(
        replace(
            DIRECTORY.capacities[0],
            fair_share=4,
            fair_share_window_ms=10 * MINUTE,
            park_after_ms=5 * MINUTE,
            ramp=((HOUR, 50), (_DAY, 80)),
        ),
    ),
)
"""The same pool with every rule there is."""

PROFILES = (
    AgentProfile("ada", "Ada", ("billing",), ("en", "it")),
    AgentProfile("bo", "Bo", ("billing", "desk"), ("en",), (("certified", 1),), seniority=1),
    AgentProfile("cy", "Cy", ("desk",), ("en", "ro"), (("certified", 3), ("network", 2)), seniority=3),
    AgentProfile("di", "Di", ("desk",), ("it",), (("network", 1),)),
)


def engine_with(
    *agents: AgentProfile,
    engine_type: type[Engine] = Engine,
    directory: Directory = DIRECTORY,
    at_ms: int = T0,
) -> Engine:
    """An engine with these agents online."""
    engine = engine_type("default", directory)
    for profile in agents:
        engine.apply(PutAgent(command_id=f"put-{profile.agent_id}", agent=profile), at_ms)
        be(engine, profile.agent_id, "online", at_ms)
    return engine


def agent(agent_id: str, *, team: str = "billing", languages: tuple[str, ...] = ("en",)) -> AgentProfile:
    return AgentProfile(agent_id, agent_id.title(), (team,), languages)


def be(engine: Engine, agent_id: str, presence: PresenceState, at_ms: int) -> Step:
    command_id = f"{agent_id}-{presence}-{at_ms}"
    return engine.apply(SetPresence(command_id=command_id, agent_id=agent_id, presence=presence), at_ms)


def arrival(
    conversation_id: str,
    *,
    episode: int = 1,
    channel: str = "chat",
    language: str = "en",
    topic: str = "invoice",
    urgency: Urgency = "normal",
    started_at_ms: int = T0,
    skills: tuple[tuple[str, int], ...] = (),
    tier: str = "",
    debt: int = 0,
    customer_id: str = "",
    handling: Handling = "human",
    escalate: str = "",
) -> Enqueue:
    return Enqueue(
        command_id=f"enqueue-{conversation_id}-{episode}",
        conversation_id=conversation_id,
        episode=episode,
        channel=channel,
        language=language,
        topic=topic,
        urgency=urgency,
        started_at_ms=started_at_ms,
        skills=skills,
        tier=tier,
        debt=debt,
        customer_id=customer_id,
        handling=handling,
        escalate=escalate,
        escalated_by="shouting" if escalate else "",
    )


def offered(step: Step) -> list[tuple[str, str]]:
    """(conversation, agent) of the offers a step made."""
    return [(e.conversation_id, e.agent_id) for e in step.events if isinstance(e, AgentOffered)]


def offer_of(engine: Engine, conversation_id: str) -> str:
    """The open offer of a conversation."""
    return engine.pool.items[conversation_id].offer_id


def kinds(step: Step) -> list[str]:
    """The names of a step's events, in order."""
    return [type(e).__name__ for e in step.events]


def accept(engine: Engine, conversation_id: str, at_ms: int = T0, *, by: str = "") -> Result:
    """Accept the open offer of a conversation, by default as the agent it was made to."""
    offer = engine.pool.offers[offer_of(engine, conversation_id)]
    command = AcceptOffer(
        command_id=f"accept-{offer.offer_id}-{by}", offer_id=offer.offer_id, agent_id=by or offer.agent_id
    )
    result = engine.apply(command, at_ms).result
    assert result is not None
    return result
