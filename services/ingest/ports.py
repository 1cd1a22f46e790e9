"""What ingest needs from outside: a way to send mail, the links of surveys, mailboxes to read.

SendFailed            this attempt did not work
├── SendRefused       it never will: the delivery has failed
└── SendUnavailable   it may later: the delivery is tried again
    └── ServerAway    nobody answered at all: others wait too
LinkGone              the invitation is no longer open: nothing is sent
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Protocol


class SendFailed(Exception):
    """Base of what goes wrong when something is sent; the text is for the operator and the agent."""


class SendRefused(SendFailed):
    """The other side will never take it."""


class SendUnavailable(SendFailed):
    """The other side cannot take it now."""


class ServerAway(SendUnavailable):
    """The other side does not answer: what it says nothing of is not the fault of this one message."""


class LinkGone(Exception):
    """The survey is cancelled, answered or expired."""


@dataclass(frozen=True, slots=True)
class OutgoingMail:
    """A mail ready to be sent."""

    sender: str
    """Address answers are sent from."""
    reply_to: str
    recipient: str
    subject: str
    text: str
    message_id: str
    in_reply_to: str
    """Message id of the customer's newest mail, or empty."""
    automatic: bool
    may_stop: bool = False
    """It was not asked for: it says how to get no more of its kind."""


class Mailer(Protocol):
    """Hands mail to a server."""

    async def send(self, mail: OutgoingMail) -> None:
        """Returns once the server has taken the mail. Raises SendRefused or SendUnavailable."""
        ...


class SurveyLinks(Protocol):
    """Asks for the link of an invitation: the same link each time it is asked for."""

    async def link(self, invitation_id: str) -> str:
        """The address a customer opens. Raises LinkGone or SendUnavailable."""
        ...


class MailboxAway(Exception):
    """A mailbox cannot be read now: no connection, no sign-in, or an answer that makes no sense. Tried again later."""


@dataclass(frozen=True, slots=True)
class BoxState:
    """A mailbox as it was opened."""

    uid_validity: int
    """Another value than before: every mail has got another number."""
    uid_next: int
    """Above the number of every mail in it."""


class Mailbox(Protocol):
    """A mailbox on a server. Every method may block for half a minute and raises MailboxAway."""

    def open(self) -> BoxState:
        """Connects and opens the folder."""
        ...

    def after(self, uid: int, since: date | None) -> list[int]:
        """Numbers of the mails above one, in order; with `since` only of those that came on that day or later."""
        ...

    def fetch(self, uid: int) -> bytes | None:
        """A mail as it is, None when it is gone; for one too large its headers with a line that says so."""
        ...

    def wait(self, seconds: float, stopping: Callable[[], bool]) -> None:
        """Returns when a mail has come, after so long, or soon after `stopping` says so."""
        ...

    def close(self) -> None:
        """Ends the connection. Never raises."""
        ...
