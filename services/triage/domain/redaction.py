"""Takes out of a text what says who somebody is, before it may leave the machine.

By written rules, so not everything: a name without a word that introduces it, and a street, stay.
"""

import re
from collections.abc import Iterable
from typing import Final

from services.triage.domain.entities import Kind, find_entities
from services.triage.domain.text import clean, fold

MOST: Final = 2_000
"""Characters that are left."""
_READ: Final = 8_000
_SHORTEST_KNOWN: Final = 4
_TAKEN: Final[dict[Kind, str]] = {
    "email": "[e-mail]",
    "phone": "[phone]",
    "iban": "[iban]",
    "card": "[card]",
    "order_number": "[number]",
}
_LINK = re.compile(r"(?:https?://|www\.)\S{1,2000}", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s@<>]{0,64}@[^\s@<>]{1,255}")
_CODE = re.compile(r"[^\s\[\]]{41,}")
_NUMBER = re.compile(r"(?:\d[ ./-]?){3,40}\d")
_NAME: Final = r"((?:[^\W\d_][\w'’.-]{0,30} ?){1,3})"
_INTRODUCED: Final = (
    "my name is", "my full name is", "mi chiamo", "il mio nome e", "ma numesc", "numele meu este", "je m'appelle",
    "mon nom est", "me llamo", "mi nombre es", "chamo-me", "me chamo", "meu nome e", "ich heisse", "ich heiße",
    "mein name ist", "اسمي",
)  # fmt: skip
_BEFORE_SIGNATURES: Final = (
    "regards", "sincerely", "cheers", "yours", "saluti", "cu stima", "cu respect", "cordialement", "bien a vous", "saludos",
    "atentamente", "cumprimentos", "atenciosamente", "grussen", "grüßen", "gruss", "gruß", "mfg", "تحياتي",
)  # fmt: skip
_NAMED = re.compile(rf"(?i:(?<!\w)(?:{'|'.join(map(re.escape, _INTRODUCED))}))[ :]{{1,3}}{_NAME}")
_SIGNED = re.compile(rf"(?i:(?<!\w)(?:{'|'.join(map(re.escape, _BEFORE_SIGNATURES))}))[ ,.!\n]{{1,6}}{_NAME}")


def redacted(text: str, known: Iterable[str] = ()) -> str:
    """The text without addresses, numbers of four digits and more, links, long codes, names that a word introduces, and
    without the `known` words of at least four letters (what the operator's systems say of the customer)."""
    read = clean(text[:_READ])
    kept = list(read)
    for entity in find_entities(read):
        if entity.kind in _TAKEN:
            _put(kept, entity.start, entity.end, _TAKEN[entity.kind])
    plain = "".join(kept)
    for pattern, sign in (
        (_LINK, "[link]"),
        (_ADDRESS, "[e-mail]"),
        (_CODE, "[code]"),
        (_NUMBER, "[number]"),
    ):
        plain = pattern.sub(sign, plain)
    for pattern in (_NAMED, _SIGNED):
        plain = _without_names(plain, pattern)
    for word in sorted({word.strip() for word in known}, key=len, reverse=True):
        if len(word) >= _SHORTEST_KNOWN:
            plain = re.sub(re.escape(word), "[known]", plain, flags=re.IGNORECASE)
    return plain[:MOST]


def _without_names(plain: str, pattern: re.Pattern[str]) -> str:
    """Found in the folded text, taken out of the one that was written: letter by letter, as far as both are as long."""
    folded = "".join(_one(character) for character in plain)
    kept = list(plain)
    for match in pattern.finditer(folded):
        _put(kept, match.start(1), match.end(1), "[name] ")
    return "".join(kept)


def _one(character: str) -> str:
    found = fold(character)
    return found if len(found) == 1 else character


def _put(kept: list[str], start: int, end: int, sign: str) -> None:
    kept[start:end] = [sign, *[""] * (end - start - 1)]
