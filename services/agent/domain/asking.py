"""What a customer asked for, in their words: what a correction teaches."""

from collections.abc import Sequence

from services.agent.domain.timeline import Entry

READ = 5
"""Messages of an episode that are looked at."""
_LEAST_WORDS = 4
_LONGEST = 4_000


def asked(entries: Sequence[Entry]) -> tuple[str, str]:
    """Id of the first of a customer's messages, and the text: subject and words, as triage reads them.

    A first message that says next to nothing ("hello") is followed by the next ones, until there are four words.
    `entries` are in the order of their numbers; of none the answer is two empty strings.
    """
    parts: list[str] = []
    for entry in entries[:READ]:
        parts.append(f"{entry.subject}\n{entry.text}" if entry.subject and not parts else entry.text)
        if len(" ".join(parts).split()) >= _LEAST_WORDS:
            break
    return (entries[0].message_id if entries else ""), "\n".join(parts)[:_LONGEST].strip()
