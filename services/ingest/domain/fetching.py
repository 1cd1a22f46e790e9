"""How far a mailbox has been read, and where reading goes on."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Position:
    """The last mail of a mailbox that is durable here; all 0 for a mailbox that was never opened."""

    uid_validity: int
    last_uid: int
    read_at_ms: int
    """When all in it had been read, the last time."""
    since_ms: int = 0
    """Above 0: only mails that came later are looked for, until all are read."""

    def at(self, uid: int) -> "Position":
        """One mail further."""
        return replace(self, last_uid=uid)

    def caught_up(self, at_ms: int, uid_next: int) -> "Position":
        """All has been read that was in the mailbox when `uid_next` was its next number: what was left out for its age
        stays so."""
        last_uid = max(self.last_uid, uid_next - 1) if self.since_ms else self.last_uid
        return replace(self, last_uid=last_uid, read_at_ms=at_ms, since_ms=0)


def begin(known: Position, uid_validity: int, uid_next: int, now_ms: int, *, all_at_first: bool) -> Position:
    """The position in a mailbox just opened.

    Numbers hold only with their validity (RFC 3501, 2.3.1.1): when that is another one, every mail since the last one
    read is looked at again, and those that are here are known by their content.
    """
    if known.uid_validity == uid_validity:
        return known
    if known.uid_validity == 0:
        return Position(uid_validity, 0 if all_at_first else uid_next - 1, 0 if all_at_first else now_ms)
    return Position(uid_validity, 0, known.read_at_ms, known.read_at_ms)
