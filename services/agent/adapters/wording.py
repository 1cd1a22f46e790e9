"""The texts of notices: read from files, and filled in as people of a language write times and lengths of time."""

import string
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import yaml
from babel.dates import format_skeleton
from babel.units import format_unit

from services.agent.domain.notices import PLACEHOLDERS, Notices, Wording

_OURS: Final = Path(__file__).resolve().parents[1] / "data" / "notices.yaml"
_MINUTE_MS: Final = 60_000
_HOURS_FROM: Final = 90
_LONGEST: Final = 1_000


class NoticesFileError(ValueError):
    """The file of notices cannot be used; the text says where, what was seen and what was expected."""


def read_notices(path: Path | None, default_language: str, most: int) -> Notices:
    """Our texts, with those of the operator's file in their place. Raises NoticesFileError."""
    ours = _languages(_OURS)
    theirs = _languages(path) if path is not None else {}
    wordings = {}
    for language in {**ours, **theirs}:
        texts = {**ours.get(language, ours["en"]), **theirs.get(language, {})}
        words = tuple(texts.pop("call_words"))
        wordings[language] = Wording(language, texts, words)
    if default_language not in wordings:
        raise NoticesFileError(
            f"the default language {default_language!r} has no texts; there are {', '.join(sorted(wordings))}"
        )
    return Notices(wordings, default_language, most)


def closed_text(wording: Wording, opens_at_ms: int, zone: str) -> str:
    """That the hours are over; 0 = nobody knows until when."""
    if not opens_at_ms:
        return wording.texts["closed"]
    at = datetime.fromtimestamp(opens_at_ms / 1000, ZoneInfo(zone) if zone else UTC)
    day = format_skeleton("MMMMEEEEd", at, locale=wording.language)
    return _filled(
        wording, "closed_until", opens=f"{day}, {format_skeleton('Hm', at, locale=wording.language)}"
    )


def wait_text(
    wording: Wording, position: int, expected_ms: int, low_ms: int, high_ms: int, *, offer: bool
) -> str:
    """The place and, where it is known, how long it may take; with the offer of a call-back."""
    if expected_ms:
        lengths = {"expected": expected_ms, "low": low_ms, "high": high_ms}
        said = {name: _length(ms, wording.language) for name, ms in lengths.items()}
        text = _filled(wording, "wait", position=position, **said)
    else:
        text = _filled(wording, "wait_unknown", position=position)
    if text and offer:
        call = _filled(wording, "call_offer", word=wording.call_words[0].upper())
        text = f"{text} {call}".strip()
    return text


def _filled(wording: Wording, name: str, **values: object) -> str:
    return wording.texts[name].format(**values)


def _length(ms: int, language: str) -> str:
    """Whole minutes, at least one; hours from an hour and a half on."""
    minutes = max(1, round(ms / _MINUTE_MS))
    if minutes < _HOURS_FROM:
        return format_unit(minutes, "duration-minute", locale=language)
    return format_unit(round(minutes / 60), "duration-hour", locale=language)


def _languages(path: Path) -> Mapping[str, dict[str, Any]]:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise NoticesFileError(f"{path} cannot be read as YAML: {error}") from None
    if not isinstance(document, dict):
        raise NoticesFileError(f"{path}: expected languages with their texts, such as `en: {{closed: ...}}`")
    return {_language(path, name): _texts(path, str(name), texts) for name, texts in document.items()}


def _language(path: Path, name: object) -> str:
    try:
        format_unit(1, "duration-minute", locale=str(name))
    except (ValueError, LookupError, TypeError):
        raise NoticesFileError(f"{path}: {name!r} is no language such as en, ar or de") from None
    return str(name)


def _texts(path: Path, language: str, texts: object) -> dict[str, Any]:
    if not isinstance(texts, dict):
        raise NoticesFileError(f"{path}: {language}: expected texts by name, saw {type(texts).__name__}")
    for name, text in texts.items():
        where = f"{path}: {language}.{name}"
        if name == "call_words":
            if not (isinstance(text, list) and text and all(isinstance(w, str) and w.strip() for w in text)):
                raise NoticesFileError(f"{where}: expected a list of words, at least one")
        elif name not in PLACEHOLDERS:
            raise NoticesFileError(
                f"{where} is no text; there are {', '.join([*PLACEHOLDERS, 'call_words'])}"
            )
        elif not isinstance(text, str) or len(text) > _LONGEST:
            raise NoticesFileError(f"{where}: expected a text of at most {_LONGEST} characters")
        else:
            _check(where, text, PLACEHOLDERS[name])
    return dict(texts)


def _check(where: str, text: str, known: frozenset[str]) -> None:
    try:
        fields = [(name, how) for _, name, how, _ in string.Formatter().parse(text) if name is not None]
    except ValueError as error:
        raise NoticesFileError(f"{where}: {error}; a brace itself is written twice") from None
    for name, how in fields:
        if name not in known or how:
            there = ", ".join(f"{{{one}}}" for one in sorted(known)) or "none"
            raise NoticesFileError(f"{where}: {{{name}}} cannot be filled in here; expected {there}")
