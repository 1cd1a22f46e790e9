"""By which channel a reply goes: ingest is asked before the transaction, the choice is made within it."""

from collections.abc import Sequence

from libs.storage import Database
from libs.web import Unavailable
from services.agent.adapters import queries
from services.agent.api.bodies import NewReply
from services.agent.domain.conversation import Conversation
from services.agent.domain.reaching import ALWAYS_OPEN, Chosen, Way, choose, usual
from services.agent.ports import Ways, WaysAway


async def known_ways(
    database: Database, ways: Ways, conversation_id: str, body: NewReply
) -> Sequence[Way] | None:
    """What ingest says of the ways to the customer; None when nothing has to be asked, or ingest does not answer: then
    ingest itself refuses what cannot go, and the reply shows the reason. Raises Unavailable for a choice that cannot
    be judged now."""
    if body.channel is None and body.template is None:
        async with database.read() as connection:
            conversation = await queries.conversation(connection, conversation_id)
        if conversation is None or conversation.channel in ALWAYS_OPEN:
            return None
    try:
        return await ways.of(conversation_id) or None
    except WaysAway as error:
        if body.channel is None and body.template is None:
            return None
        detail = f"The reply was not sent: {error}. Try again, or write without choosing a channel."
        raise Unavailable(detail, slug="ways-not-known") from error


def chosen_way(conversation: Conversation, body: NewReply, known: Sequence[Way] | None) -> Chosen:
    """How the reply goes. Raises ChannelUnknown, ChannelClosed, BadTemplate."""
    channel = body.channel or usual(known or (), conversation.channel)
    used = body.template
    if known is None and used is None and (body.channel is None or channel == conversation.channel):
        return Chosen(channel, body.text)
    template = (used.name, used.language) if used else None
    return choose(known or (), channel, body.text, template, used.values if used else {})
