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
        """The invitation of a token that takes answers, late ones too; None for unknown, expired and revoked ones alike.

        Changes nothing.
        """
        invitation_id = self.keys.invitation_of(token)
        if invitation_id is None:
            return None
        async with self.database.read() as connection:
            found = await INVITATIONS_SEEN.load_many(connection, [invitation_id])
        invitation = found.get(invitation_id)
        return invitation if self._takes_answers(invitation, self.database.clock.now_ms()) else None

    async def record(self, token: str, score: int, comment: str, language: str) -> Invitation | None:
        """Keeps an answer; the same answer again changes nothing. None as in `find`, or when a late one would change.

        The others are told of an answer within the window only.
        """
        invitation_id = self.keys.invitation_of(token)
        if invitation_id is None:
            return None
        async with self.database.begin() as uow:
            ctx = context(self.rules)(uow)
            await ctx.invitations.load([invitation_id])
            before = ctx.invitations.get(invitation_id)
            if before is None or not self._takes_answers(before, uow.now_ms):
                return None
            after = invitations.answer(before, score, comment, language or before.language, uow.now_ms)
            if after is not None and after is not before:
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
                if not after.late:
                    uow.emit(fate_of(after, self.rules.definition, uow.now_ms))
                uow.after_commit(metrics.surveys.labels("late" if after.late else after.state.value).inc)
                await uow.commit()
            return after

    def _takes_answers(self, invitation: Invitation | None, now_ms: int) -> bool:
        late_ms = self.rules.policy.late_ms
        return invitation is not None and (
            invitation.open_at(now_ms) or invitation.open_late_at(now_ms, late_ms)
        )
