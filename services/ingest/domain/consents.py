"""Whether a customer may be written to unasked: what they or others have said of it, and the words that end it."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from services.ingest.domain.model import PROVIDED, ChannelName, Inbound


class ConsentState(StrEnum):
    """What is on record."""

    GIVEN = "given"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Consent:
    """The newest word on one endpoint of a customer."""

    channel: str
    account: str
    external_id: str
    customer_id: str
    state: str
    source: str
    """message, for a word of the customer's own; agent or service for what others have recorded."""
    actor: str
    evidence: str
    """In whose words, or where it was given."""
    at_ms: int

    @property
    def row_key(self) -> tuple[str, str, str]:
        return (self.channel, self.account, self.external_id)


_STOP: Final = {
    "en": ("stop", "stopall", "stop all", "unsubscribe", "opt out", "optout"),
    "it": ("ferma", "fermati", "annulla iscrizione", "cancellami", "disiscrivimi", "basta messaggi"),
    "ro": ("opreste", "dezabonare", "ma dezabonez", "anuleaza abonarea"),
    "ar": ("توقف", "الغاء الاشتراك"),
    "fr": ("arret", "arreter", "desabonner", "desinscription", "me desinscrire"),
    "pt": ("parar", "parar mensagens", "cancelar inscricao", "descadastrar"),
    "es": ("baja", "parar mensajes", "darme de baja", "cancelar suscripcion"),
    "de": ("stopp", "abmelden", "abbestellen", "austragen"),
}
_STOP_BY_SMS: Final = {
    "en": ("cancel", "end", "quit", "revoke"),
    "ar": ("ايقاف", "الغاء"),
    "pt": ("pare", "sair"),
    "es": ("alto",),
}
"""What networks take for a stop in an SMS; in a chat the same word may answer a question."""
_START: Final = frozenset(
    {"start", "unstop", "iscrivimi", "abonare", "ابدا", "اشتراك", "commencer", "reprendre", "m'abonner"}
    | {"comecar", "inscrever", "alta", "suscribir", "anmelden"}
)
_CONFIRMATIONS: Final = {
    "en": "You will get no more messages from us here. If you need help, just write to us. START undoes this.",
    "it": "Non riceverà più messaggi da noi qui. Se ha bisogno di aiuto, ci scriva. START annulla questa scelta.",
    "ro": "Nu veți mai primi mesaje de la noi aici. Dacă aveți nevoie de ajutor, scrieți-ne. START anulează alegerea.",
    "ar": "لن تصلك منا رسائل أخرى هنا. إذا احتجت إلى مساعدة فاكتب إلينا. أرسل START للتراجع.",
    "fr": "Vous ne recevrez plus de messages de notre part ici. Besoin d'aide ? Écrivez-nous. START annule ce choix.",
    "pt": "Não receberá mais mensagens nossas aqui. Se precisar de ajuda, escreva-nos. START anula esta escolha.",
    "es": "No recibirá más mensajes nuestros aquí. Si necesita ayuda, escríbanos. START anula esta elección.",
    "de": "Sie erhalten hier keine Nachrichten mehr von uns. Brauchen Sie Hilfe, schreiben Sie uns. START hebt das auf.",
}
_LONGEST: Final = 40
_WORDS: Final = {word: language for language, words in _STOP.items() for word in words}
_WORDS_BY_SMS: Final = {word: language for language, words in _STOP_BY_SMS.items() for word in words}
_SPOKEN: Final = PROVIDED - {ChannelName.VOICE} | {ChannelName.MAIL}


@dataclass(frozen=True, slots=True)
class Word:
    """What a whole message says of consent."""

    state: ConsentState
    language: str
    """Of the word; empty when it could be any."""


def word_of(text: str, *, sms: bool = False) -> Word | None:
    """A message that is nothing but a stop or start word, whatever its case, accents and marks; None for all others."""
    if len(text) > _LONGEST:
        return None
    said = _plain(text)
    language = _WORDS.get(said) or (_WORDS_BY_SMS.get(said) if sms else None)
    if language:
        # STOP is what every network teaches, whatever language its reader speaks.
        return Word(ConsentState.WITHDRAWN, "" if said == "stop" else language)
    return Word(ConsentState.GIVEN, "") if said in _START else None


def word_in(inbound: Inbound) -> Word | None:
    """What a customer's message says of consent, on channels that write to them."""
    if inbound.channel not in _SPOKEN or inbound.identity is None:
        return None
    if inbound.channel == ChannelName.MAIL and inbound.automatic:
        return None
    return word_of(inbound.text, sms=inbound.channel == ChannelName.SMS)


def confirmation(language: str) -> str:
    """What a withdrawal is answered, once; in English for a language that is not spoken here."""
    return _CONFIRMATIONS.get(language, _CONFIRMATIONS["en"])


def strictest(key: tuple[str, str, str], said: Sequence[Consent]) -> Consent | None:
    """What holds for being written to unasked at an endpoint: who has said STOP to one account of ours means all of its
    channel; consent holds for the account that it was given to."""
    of_endpoint = [one for one in said if (one.channel, one.external_id) == (key[0], key[2])]
    withdrawn = next((one for one in of_endpoint if one.state == ConsentState.WITHDRAWN), None)
    return withdrawn or next((one for one in of_endpoint if one.row_key == key), None)


def said_by(inbound: Inbound, word: Word, customer_id: str, known: Consent | None) -> Consent | None:
    """The consent after a customer's own word, the same word again being its newest time; None when it changes nothing.

    A start word gives back only what was withdrawn: to who never took anything back it is a message like any other.
    """
    assert inbound.identity is not None
    if word.state == ConsentState.GIVEN and (known is None or known.state == ConsentState.GIVEN):
        return None
    if known is not None and known.at_ms > inbound.received_at_ms:
        return None
    if known is not None and known.state == word.state:
        return replace(known, at_ms=inbound.received_at_ms)
    return Consent(
        *inbound.identity.row_key,
        customer_id,
        word.state,
        "message",
        "",
        inbound.text.strip(),
        inbound.received_at_ms,
    )


def _plain(text: str) -> str:
    split = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(one for one in split if not unicodedata.combining(one))
    return " ".join(re.sub(r"[^\w'\s]|_", " ", bare).split())
