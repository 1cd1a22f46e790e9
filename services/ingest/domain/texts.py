"""Texts as they may be stored and sent on: clean, and within their bounds."""

import re
from typing import Final

_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")


def storable(text: str) -> str:
    """The text without NUL and halves of surrogate pairs; line ends as line feeds."""
    return _UNSTORABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def one_line(text: str, most: int) -> str:
    """A storable text without line breaks and runs of blanks, at most so many characters."""
    return " ".join(storable(text[: most * 4]).split())[:most]


def cut_to_bytes(text: str, most: int) -> tuple[str, bool]:
    """The beginning of a text that fits in `most` bytes of UTF-8, and whether anything was cut."""
    if len(text) * 4 <= most:
        return text, False
    data = text.encode()
    if len(data) <= most:
        return text, False
    return data[:most].decode(errors="ignore"), True
