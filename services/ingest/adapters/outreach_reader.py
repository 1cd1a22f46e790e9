"""Rules of outreach from plain values, YAML or JSON alike; every fault names the rule and the field."""

import re
from datetime import time
from pathlib import Path
from typing import Annotated, Any, Final

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from services.ingest.domain.outreach import CHANNELS, Book, Cap, Quiet, Rule, TemplateChoice, Test

MOST_RULES: Final = 200
_COMPARISON: Final = re.compile(r"\s*(>=|<=|>|<)\s*(-?\d{1,12}(?:\.\d{1,6})?)\s*")
_HOUR_MS: Final = 3_600_000
EventType = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$")]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")]
Attribute = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,59}$")]
_Text = Annotated[str, StringConstraints(min_length=1, max_length=1600, pattern=r"\S")]
_Value = Annotated[str, StringConstraints(max_length=200)] | int | float | bool


class RuleFaults(ValueError):
    """The rules cannot be used, and nothing of them is taken. `faults` are (rule, field, reason)."""

    def __init__(self, faults: list[tuple[str, str, str]]) -> None:
        super().__init__("; ".join(f"rule {rule!r}, {field}: {reason}" for rule, field, reason in faults[:5]))
        self.faults = faults


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Cap(_Strict):
    messages: Annotated[int, Field(ge=1, le=1000)]
    days: Annotated[float, Field(gt=0, le=366)]


class _Quiet(_Strict):
    begins: Annotated[str, Field(alias="from", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
    ends: Annotated[str, Field(alias="to", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class _Template(_Strict):
    name: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,512}$")]
    values: dict[str, _Text] = {}


class _Rule(_Strict):
    name: EventType
    event: EventType
    when: dict[Attribute, _Value | Annotated[list[_Value], Field(min_length=1, max_length=100)]] = {}
    languages: list[Language] = []
    channels: Annotated[list[str], Field(min_length=1, max_length=10)]
    text: Annotated[dict[Language, _Text], Field(min_length=1)]
    subject: dict[Language, Annotated[str, StringConstraints(min_length=1, max_length=200)]] = {}
    template: _Template | None = None
    consent: Annotated[str, Field(pattern="^(given|known)$")] = "given"
    cap: _Cap | None = None
    quiet: _Quiet | None = None
    expires_hours: Annotated[float, Field(gt=0, le=720)] = 24
    enabled: bool = True

    @model_validator(mode="after")
    def _check(self) -> "_Rule":
        if strange := [one for one in self.channels if one not in CHANNELS]:
            raise ValueError(f"channels: {strange[0]!r} is none of {', '.join(CHANNELS)}")
        if "mail" in self.channels and not self.subject:
            raise ValueError("subject: a mail needs one")
        return self


class _Book(_Strict):
    cap: _Cap | None = None
    quiet: _Quiet | None = None
    rules: list[Any] = []


def read_book(document: object, version: int) -> Book:
    """Rules in order, with what holds for all of them. Raises RuleFaults with every fault."""
    try:
        whole = _Book.model_validate(document)
    except ValidationError as error:
        raise RuleFaults([("", *one) for one in _faults(error)]) from None
    if len(whole.rules) > MOST_RULES:
        raise RuleFaults([("", "rules", f"{len(whole.rules)} rules; at most {MOST_RULES}")])
    rules: list[Rule] = []
    faults: list[tuple[str, str, str]] = []
    for place, value in enumerate(whole.rules, 1):
        named = value.get("name") if isinstance(value, dict) else None
        shown = str(named)[:100] if named else f"rule {place}"
        try:
            rule = _rule(_Rule.model_validate(value))
        except ValidationError as error:
            faults += [(shown, *one) for one in _faults(error)]
            continue
        if any(one.name == rule.name for one in rules):
            faults.append((shown, "name", "another rule has this name"))
        rules.append(rule)
    if faults:
        raise RuleFaults(faults)
    return Book(version, tuple(rules), _cap(whole.cap), _quiet(whole.quiet))


def read_file(path: Path) -> dict[str, Any]:
    """The document of a YAML file, checked. Raises RuleFaults, ValueError that names the file."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ValueError(f"{path} cannot be read as YAML: {error}") from None
    read_book(document, 0)
    return dict(document)


def _faults(error: ValidationError) -> list[tuple[str, str]]:
    found = []
    for one in error.errors()[:20]:
        field, reason = ".".join(map(str, one["loc"])), one["msg"].removeprefix("Value error, ")
        if not field and ": " in reason:
            field, _, reason = reason.partition(": ")
        found.append((field or "rule", reason))
    return found


def _rule(one: _Rule) -> Rule:
    return Rule(
        name=one.name,
        event=one.event,
        when=tuple(_test(attribute, value) for attribute, value in one.when.items()),
        languages=tuple(one.languages),
        channels=tuple(dict.fromkeys(one.channels)),
        text=one.text,
        subject=one.subject,
        template=TemplateChoice(one.template.name, tuple(one.template.values.items()))
        if one.template
        else None,
        must_have_agreed=one.consent == "given",
        cap=_cap(one.cap),
        quiet=_quiet(one.quiet),
        expires_ms=int(one.expires_hours * _HOUR_MS),
        enabled=one.enabled,
    )


def _test(attribute: str, value: Any) -> Test:
    compared = _COMPARISON.fullmatch(value) if isinstance(value, str) else None
    if compared:
        return Test(attribute, compare=compared.group(1), number=float(compared.group(2)))
    values = value if isinstance(value, list) else [value]
    return Test(attribute, any_of=tuple(plain(one).strip().lower() for one in values))


def plain(value: Any) -> str:
    """A scalar as the text it is compared and shown as."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) and abs(value) < 1e6 else str(value)


def _cap(cap: _Cap | None) -> Cap | None:
    return Cap(cap.messages, cap.days) if cap else None


def _quiet(quiet: _Quiet | None) -> Quiet | None:
    return Quiet(time.fromisoformat(quiet.begins), time.fromisoformat(quiet.ends)) if quiet else None
