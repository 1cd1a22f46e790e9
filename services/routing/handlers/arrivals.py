"""An episode comes into the pool when it is opened and its opening message is understood, in whatever order."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from libs.contracts import ConversationTriaged, Handling, ReplySent
from services.routing.adapters.contracts import REQUESTS, URGENCIES
from services.routing.adapters.rows import Arrival
from services.routing.domain.commands import (
    Command,
    CustomerWrote,
    Enqueue,
    HandOff,
    Reclassify,
    RecordReply,
    RecordStatus,
)
from services.routing.domain.model import UNDETERMINED, UNKNOWN_TOPIC

_KEPT_REPLIES = 20
_A_PERSON = 0.5
"""From this probability on that the customer wants a person, or is angry, no bot has the conversation."""


def said_of(e: ConversationTriaged) -> dict[str, Any]:
    """What routing needs of a decision. A priority set by a rule counts as urgency; an escalation is urgent."""
    urgency = URGENCIES.get(e.urgency, "normal")
    if e.escalate:
        urgency = "high"
    elif e.priority:
        urgency = "high" if e.priority > 0 else "low"
    return {
        "language": e.language.value or UNDETERMINED,
        "topic": e.topic.value or UNKNOWN_TOPIC,
        "urgency": urgency,
        "skills": [_skill(text) for text in e.required_skills],
        "queue_hint": e.queue_hint,
        "received_at_ms": e.received_at_ms,
        "human_version": e.human_version,
        "request": e.kind in REQUESTS,
        "insist": e.escalate != "",
        "escalate": e.escalate,
        "escalated_by": next((r.detail for r in e.reasons if r.signal == "escalate"), "triage"),
        "bot": e.handling == Handling.HANDLING_BOT,
        "person": max(e.wish_for_person, e.anger) >= _A_PERSON,
    }


def reclassify(arrival: Arrival, seqs: Sequence[str], new_id: Callable[[str], str]) -> list[Command]:
    """What later requests of the episode say: the urgency may rise, people may be wanted."""
    wanted: list[Command] = [
        HandOff(
            command_id=new_id(f"person-{seq}"),
            conversation_id=arrival.conversation_id,
            episode=arrival.opened_episode,
            cause="person-wanted",
        )
        for seq in seqs
        if arrival.triaged[seq].get("person")
    ]
    return wanted + [
        Reclassify(
            command_id=new_id(f"reclassify-{seq}"),
            conversation_id=arrival.conversation_id,
            episode=arrival.opened_episode,
            topic=said["topic"],
            language=said["language"],
            urgency=said["urgency"],
            based_on_human_version=said["human_version"],
            queue_hint=said["queue_hint"],
            insist=said.get("insist", False),
            escalate=said.get("escalate", ""),
            escalated_by=said.get("escalated_by", ""),
        )
        for seq in seqs
        if (said := arrival.triaged[seq])["request"]
    ]


def _skill(text: str) -> list[Any]:
    """`skill` or `skill:level`."""
    name, _, level = text.partition(":")
    return [name, int(level) if level.isdigit() else 1]


def early_of(arrival: Arrival, episode: int) -> dict[str, Any]:
    found: dict[str, Any] = arrival.early.get(str(episode), {})
    return found


def with_reply(arrival: Arrival, e: ReplySent) -> list[list[int]]:
    """The replies that came before the episode was in the pool, the newest ones: instant, last message seen,
    human, bot."""
    known: list[list[int]] = early_of(arrival, e.episode).get("replies", [])
    reply = [e.sent_at_ms, e.after_seq, int(e.human), int(e.bot)]
    return known if reply in known else sorted([*known, reply])[-_KEPT_REPLIES:]


class Standing(NamedTuple):
    """What is known of a customer when an episode comes in: `commands.Enqueue` says what it means."""

    tier: str
    debt: int
    preferred_agent: str
    avoid_agents: tuple[str, ...]


def admit(
    arrival: Arrival, new_id: Callable[[str], str], customer: Standing
) -> tuple[Arrival, list[Command]]:
    """Enqueue the opened episode when both halves are here; then replay what a person did meanwhile.

    `new_id` makes the id of a command from its part in the event.
    """
    episode = arrival.opened_episode
    said = arrival.triaged.get(str(arrival.first_seq))
    if said is None or episode <= max(arrival.enqueued_episode, arrival.resolved_episode):
        return arrival, []
    early = early_of(arrival, episode)
    language = said["language"] if said["language"] != UNDETERMINED else arrival.language or UNDETERMINED
    commands: list[Command] = [
        Enqueue(
            command_id=new_id("enqueue"),
            conversation_id=arrival.conversation_id,
            episode=episode,
            channel=arrival.channel,
            language=language,
            topic=said["topic"],
            urgency=said["urgency"],
            started_at_ms=said["received_at_ms"],
            skills=tuple((name, level) for name, level in said["skills"]),
            queue_hint=said["queue_hint"],
            human_version=arrival.human_version,
            customer_id=arrival.customer_id,
            case_reference=arrival.case_reference,
            first_seq=arrival.first_seq,
            **customer._asdict(),
            handling="bot"
            if said.get("bot") and not said.get("person") and "handoff" not in early
            else "human",
            escalate=said.get("escalate", ""),
            escalated_by=said.get("escalated_by", ""),
        )
    ]
    for number, (replied_at_ms, after_seq, human, *bot) in enumerate(early.get("replies", [])):
        commands.append(
            RecordReply(
                command_id=new_id(f"early-reply-{number}"),
                conversation_id=arrival.conversation_id,
                episode=episode,
                replied_at_ms=replied_at_ms,
                human_version=arrival.human_version,
                after_seq=after_seq,
                human=bool(human),
                bot=bool(bot and bot[0]),
            )
        )
    if "status" in early:
        commands.append(
            RecordStatus(
                command_id=new_id("early-status"),
                conversation_id=arrival.conversation_id,
                episode=episode,
                status=early["status"],
                changed_at_ms=early["status_at_ms"],
                human_version=arrival.human_version,
            )
        )
    later = {seq: said for seq, said in arrival.triaged.items() if int(seq) > arrival.first_seq}
    commands += reclassify(arrival, sorted(later, key=int), new_id)
    commands += [
        CustomerWrote(
            command_id=new_id(f"wrote-{seq}"),
            conversation_id=arrival.conversation_id,
            episode=episode,
            wrote_at_ms=said["received_at_ms"],
            seq=int(seq),
        )
        for seq, said in sorted(later.items(), key=lambda pair: int(pair[0]))
        if said["request"]
    ]
    return replace(arrival, enqueued_episode=episode, triaged=later, early={}), commands
