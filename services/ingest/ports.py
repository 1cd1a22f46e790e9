"""What ingest needs from outside: a way to send mail, and the links of surveys.

SendFailed            this attempt did not work
├── SendRefused       it never will: the delivery has failed
└── SendUnavailable   it may later: the delivery is tried again
LinkGone              the invitation is no longer open: nothing is sent
"""

from dataclasses import dataclass
from typing import Protocol


class SendFailed(Exception):
    """Base of what goes wrong when something is sent; the text is for the operator and the agent."""


class SendRefused(SendFailed):
    """The other side will never take it."""


class SendUnavailable(SendFailed):
    """The other side cannot take it now."""


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
