"""What the public page does: looks an invitation up by its token, and records an answer."""

from dataclasses import dataclass
from typing import Final

from libs.storage import Database
from libs.telemetry import metrics
from services.survey.adapters.contracts import fate_of
from services.survey.adapters.links import LinkKeys
from services.survey.adapters.tables import INVITATIONS_SEEN, Answer
from services.survey.context import Rules, context
from services.survey.domain import invitations
from services.survey.domain.invitations import Invitation

MOST_COMMENT: Final = 2000


def tidy(comment: str) -> str:
    """A comment as it is kept: browsers send line ends as CRLF and count them as one character."""
    return comment.replace("\r\n", "\n").replace("\r", "\n").strip()


@dataclass(frozen=True, slots=True)
class Answers:
    """The operations behind the public page."""

    database: Database
    keys: LinkKeys
    rules: Rules

    async def find(self, token: str) -> Invitation | None:
        """The open invitation of a token; None for unknown, expired and revoked ones alike. Changes nothing."""
        invitation_id = self.keys.invitation_of(token)
        if invitation_id is None:
            return None
        async with self.database.read() as connection:
            found = await INVITATIONS_SEEN.load_many(connection, [invitation_id])
        invitation = found.get(invitation_id)
        is_open = invitation is not None and invitation.open_at(self.database.clock.now_ms())
        return invitation if is_open else None

    async def record(self, token: str, score: int, comment: str, language: str) -> Invitation | None:
        """Keeps an answer and tells the others; the same answer again changes nothing. None as in `find`."""
        invitation_id = self.keys.invitation_of(token)
        if invitation_id is None:
            return None
        async with self.database.begin() as uow:
            ctx = context(self.rules)(uow)
            await ctx.invitations.load([invitation_id])
            before = ctx.invitations.get(invitation_id)
            if before is None or not before.open_at(uow.now_ms):
                return None
            after = invitations.answer(before, score, comment, language or before.language, uow.now_ms)
            if after is not before:
                ctx.invitations.put(after)
                ctx.answers.put(
                    Answer(
                        invitation_id,
                        after.revision,
                        score,
                        comment,
                        after.answer_language,
                        after.answered_at_ms,
                    )
                )
                uow.emit(fate_of(after, self.rules.definition, uow.now_ms))
                uow.after_commit(metrics.surveys.labels(after.state.value).inc)
                await uow.commit()
            return after
