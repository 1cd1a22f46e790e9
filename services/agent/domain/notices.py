"""What a customer is told by itself: that the hours are over, how long it takes, that nobody is there who could help.

A notice is no answer: it touches neither status nor clocks nor `human_version`. It is not sent

- when a person has the conversation, or the episode has ended, or the bot speaks for us;
- when the episode holds a message that nobody wrote: two machines would write to each other for ever;
- more often than `most` times in a conversation, and of each kind more often in an episode than `MOST_OF` says.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from services.agent.domain.conversation import Conversation, NoticeKind, Told
from services.agent.domain.placement import Placement

MOST_OF: Final[Mapping[NoticeKind, int]] = {"closed": 1, "wait": 2, "call_back": 1, "delayed": 1}

PLACEHOLDERS: Final[Mapping[str, frozenset[str]]] = {
    "closed_until": frozenset({"opens"}),
    "closed": frozenset(),
    "wait": frozenset({"position", "expected", "low", "high"}),
    "wait_unknown": frozenset({"position"}),
    "call_offer": frozenset({"word"}),
    "call_back": frozenset(),
    "delayed": frozenset(),
}
"""The texts there are, and what may be filled in."""

_NO_LETTER: Final = re.compile(r"[^\w']+|[\d_]+")
_LONGEST_WISH: Final = 200


@dataclass(frozen=True, slots=True)
class Wording:
    """The texts of one language by name; `call_words` ask for a call."""

    language: str
    texts: Mapping[str, str]
    call_words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Notices:
    """All wordings by language, the language of those whose own is not known, and how often a customer is told."""

    wordings: Mapping[str, Wording]
    default_language: str
    most: int

    def wording(self, language: str) -> Wording:
        """In that language (`pt-BR` is `pt`), else in the default one."""
        return self.wordings.get(language.partition("-")[0]) or self.wordings[self.default_language]

    def wants_a_call(self, text: str) -> bool:
        """Whether a message says nothing but, in any language, that its writer wants to be called; a number may
        stand beside it."""
        if len(text) > _LONGEST_WISH:
            return False
        said = plain_words(text)
        return any(said == plain_words(word) for one in self.wordings.values() for word in one.call_words)


def plain_words(text: str) -> str:
    """The letters alone, in lower case, without accents and marks: "Llámame: +34 ..." is "llamame"."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(c for c in apart if not unicodedata.combining(c))
    return " ".join(_NO_LETTER.sub(" ", bare).split())


def silence(
    notices: Notices, conversation: Conversation, placement: Placement, episode: int, kind: NoticeKind
) -> str:
    """Why the customer is not told, in words for the log; empty when they may be."""
    if not conversation.live or conversation.episode != episode:
        return "the episode is over"
    if placement.agent_id:
        return "a person has it"
    if placement.handling == "bot":
        return "the bot speaks"
    if conversation.automatic_seq >= conversation.first_seq:
        return "a machine wrote in it"
    if len(conversation.told) >= notices.most:
        return "told often enough"
    if sum(one.kind == kind and one.episode == episode for one in conversation.told) >= MOST_OF[kind]:
        return "told already"
    return ""


def tell(
    conversation: Conversation, kind: NoticeKind, at_ms: int, *, offer: bool = False, shown: bool = True
) -> Conversation:
    """The conversation with one more notice; one that is shown has a place in the timeline."""
    told = Told(kind, conversation.episode, at_ms, offer)
    return replace(conversation, told=(*conversation.told, told), position=conversation.position + shown)


def call_is_offered(conversation: Conversation) -> bool:
    """Whether a call-back stands to be taken in the open episode: offered, and not taken yet."""
    here = [one for one in conversation.told if one.episode == conversation.episode]
    return (
        conversation.live
        and any(one.offer for one in here)
        and not any(one.kind == "call_back" for one in here)
    )
