"""An episode comes into the pool when it is opened and its opening message is understood, in whatever order."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from libs.contracts import ConversationTriaged, ReplySent
from services.routing.adapters.contracts import REQUESTS, URGENCIES
from services.routing.adapters.rows import Arrival
from services.routing.domain.commands import (
    Command,
    CustomerWrote,
    Enqueue,
    Reclassify,
    RecordReply,
    RecordStatus,
)
from services.routing.domain.model import UNDETERMINED, UNKNOWN_TOPIC

_KEPT_REPLIES = 20


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
    }


def reclassify(arrival: Arrival, seqs: Iterable[str], new_id: Callable[[str], str]) -> list[Command]:
    """What later requests of the episode say: the urgency may rise."""
    return [
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
    """The replies that came before the episode was in the pool, the newest ones: instant, last message seen, human."""
    known: list[list[int]] = early_of(arrival, e.episode).get("replies", [])
    reply = [e.sent_at_ms, e.after_seq, int(e.human)]
    return known if reply in known else sorted([*known, reply])[-_KEPT_REPLIES:]


def admit(arrival: Arrival, new_id: Callable[[str], str]) -> tuple[Arrival, list[Command]]:
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
        )
    ]
    for number, (replied_at_ms, after_seq, human) in enumerate(early.get("replies", [])):
        commands.append(
            RecordReply(
                command_id=new_id(f"early-reply-{number}"),
                conversation_id=arrival.conversation_id,
                episode=episode,
                replied_at_ms=replied_at_ms,
                human_version=arrival.human_version,
                after_seq=after_seq,
                human=bool(human),
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
