"""From any string to tokens: total functions, no text makes them fail."""

import re
import unicodedata
from dataclasses import dataclass

READ_CHARS = 8_000
"""Characters of a text that are read; a longer text is judged by its beginning."""
WORD = re.compile(r"[^\W_]{1,40}")
"""Letters and digits together; a longer run counts as several."""

_URL = re.compile(
    r"(?:https?://|www\.)\S+|\b[\w-]{1,63}\.(?:com|net|org|info|biz|ru|xyz|top|click|shop|io)(?:/\S*)?\b"
)
_MAIL = re.compile(r"\b[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(r"(?<!\w)\+?\d[\d ()./-]{7,30}\d(?!\w)")
_MONEY = re.compile(
    r"[$€£]\s?\d[\d.,]{0,20}|\d[\d.,]{0,20}\s?(?:[$€£]|eur\b|euros?\b|usd\b|lei\b|ron\b|reais\b|pesos\b|dollars?\b|درهم|ريال|دينار|يورو)"
)
_NUMBER = re.compile(r"\d+(?:[.,:/-]\d+)*")
_TOKEN = re.compile(r"[^\W_]+|[\U0001F000-\U0001FAFF☀-➿]|[!?]")
_CONTROLS = {code: " " for code in (*range(32), 127) if chr(code) not in "\n\t"}
_LATIN_ALONE = str.maketrans(
    {"ß": "ss", "ø": "o", "đ": "d", "ł": "l", "ı": "i", "æ": "ae", "œ": "oe", "’": "'"}
)
_ARABIC_ALONE = str.maketrans(
    {"أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ة": "ه", "ؤ": "و", "ئ": "ي", "ـ": None}
)


@dataclass(frozen=True, slots=True)
class Text:
    """A text made ready for the model."""

    clean: str
    """What was read: NFC, no surrogates, control or formatting characters, at most READ_CHARS."""
    folded: str
    """`clean` in lower case without diacritics, numbers and addresses as place-holders (xnum, xurl, ...)."""
    tokens: tuple[str, ...]
    """Words, emoji, ! and ? of `folded`, in order."""

    @property
    def words(self) -> tuple[str, ...]:
        """The tokens that hold letters."""
        return tuple(token for token in self.tokens if token[0].isalpha())


def clean(text: str) -> str:
    """Take what can be read out of any string.

    Lone surrogates, NUL, control and formatting characters (right-to-left marks, zero-width spaces) turn into
    a space or vanish. The result is NFC and at most READ_CHARS long.
    """
    part = text[:READ_CHARS]
    if part.isascii():
        return part.translate(_CONTROLS)
    kept: list[str] = []
    for character in part:
        if character < "\x7f":
            kept.append(character if character >= " " or character in "\n\t" else " ")
            continue
        category = unicodedata.category(character)
        if category == "Cf":
            continue
        kept.append(" " if category in ("Cs", "Cc", "Co", "Cn") else character)
    return unicodedata.normalize("NFC", "".join(kept))


def fold(text: str) -> str:
    """Lower case, no diacritics, one spelling of the Arabic letters that writers mix."""
    folded = text.casefold()
    if folded.isascii():
        return folded
    decomposed = unicodedata.normalize("NFD", folded.translate(_ARABIC_ALONE))
    bare = "".join(c for c in decomposed if unicodedata.category(c) != "Mn")
    return unicodedata.normalize("NFC", bare).translate(_LATIN_ALONE).translate(_ARABIC_ALONE)


def placeholders(folded: str) -> str:
    """Replace addresses, phone numbers, amounts and numbers by words the model can learn from."""
    folded = _MAIL.sub(" xmail ", folded)
    folded = _URL.sub(" xurl ", folded)
    folded = _MONEY.sub(" xmoney ", folded)
    folded = _PHONE.sub(" xphone ", folded)
    return _NUMBER.sub(" xnum ", folded)


def read(text: str) -> Text:
    """Make a text ready. Any string is allowed, also an empty one."""
    cleaned = clean(text)
    folded = placeholders(fold(cleaned))
    return Text(cleaned, folded, tuple(_TOKEN.findall(folded)))


def letters(text: str) -> int:
    """How many letters of any script the text holds."""
    return sum(1 for character in text if character.isalpha())
