"""An explanation in plain words, by the templates of `texts/`, in the languages that have a file there."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml
from babel import Locale
from babel.lists import format_list
from babel.numbers import format_percent

from services.triage.domain.explaining import Explanation, Part
from services.triage.domain.signals import UNKNOWN

_FOLDER: Final = Path(__file__).resolve().parents[1] / "texts"
_SHOWN_WORDS: Final = 4
_SURE: Final = 0.5


class PlainWords:
    """The sentences of every language, read once."""

    def __init__(self, folder: Path = _FOLDER) -> None:
        self._texts: dict[str, Mapping[str, Mapping[str, str]]] = {
            path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))
            for path in sorted(folder.glob("*.yaml"))
        }

    @property
    def languages(self) -> tuple[str, ...]:
        """Those it can be said in."""
        return tuple(self._texts)

    def language_for(self, *wanted: str) -> str:
        """The first of these, as `pt-BR` or `pt`, that has texts; else English."""
        bases = (one.replace("_", "-").split("-")[0].strip().lower() for one in wanted)
        return next((base for base in bases if base in self._texts), "en")

    def say(
        self, explanation: Explanation, detail: Mapping[str, Any], labels: Mapping[str, str], language: str
    ) -> list[str]:
        """Sentences, the most important first. `labels` names topics; `detail` is the decision as it is kept."""
        return _Speaker(self._texts[language], language, labels).say(explanation, detail)


class _Speaker:
    def __init__(
        self, texts: Mapping[str, Mapping[str, str]], language: str, labels: Mapping[str, str]
    ) -> None:
        self._sentences = texts["sentences"]
        self._texts = texts
        self._locale = Locale(language)
        self._labels = labels

    def say(self, explanation: Explanation, detail: Mapping[str, Any]) -> list[str]:
        parts = {part.signal: part for part in explanation.parts}
        if explanation.failed:
            said = [self._put("not_read", why=explanation.failed)]
        else:
            said = [
                *self._topic(parts["topic"], detail, "topic" in explanation.set_by_people),
                *self._kind(parts["kind"]),
                *self._urgency(parts["urgency"]),
                *self._mood(parts["mood"], detail),
                *self._likely(parts["complexity"], "complexity"),
                *self._likely(parts["wish_for_person"], "wish_for_person"),
                *self._likely(parts["self_service"], "self_service"),
                *self._language(parts["language"]),
                *self._things(detail),
            ]
        said += [
            self._put(
                "rule", rule=one.rule, field=self._texts["fields"].get(one.field, one.field), value=one.value
            )
            for one in explanation.set_by_rules
        ] or [self._sentences["no_rule"]]
        if "tags" in explanation.set_by_people:
            said.append(self._sentences["tags_person"])
        return said

    def _topic(self, part: Part, detail: Mapping[str, Any], by_person: bool) -> list[str]:
        if by_person:
            return [self._put("topic_person", topic=self._label(part.value))]
        if part.value == UNKNOWN:
            best = self._label(detail["best_topic"])
            limit = self._percent(part.threshold) if part.threshold is not None else "?"
            said = [
                self._put("topic_unknown", topic=best, percent=self._percent(part.confidence), limit=limit)
            ]
        else:
            said = [self._put("topic", topic=self._label(part.value), percent=self._percent(part.confidence))]
        said += self._evidence(part)
        second = part.runner_up
        if second is not None and second.lacked_words:
            said.append(
                self._put(
                    "runner_up",
                    topic=self._label(second.value),
                    percent=self._percent(second.probability),
                    gap=self._percent(second.lacked),
                    words=self._list([f"“{_bare(word)}”" for word in second.lacked_words]),
                )
            )
        return said

    def _kind(self, part: Part) -> list[str]:
        said = [self._put(f"kind_{part.value}", percent=self._percent(part.confidence))]
        if part.notes and part.value == "automatic":
            said.append(self._sentences["headers"])
        return said

    def _urgency(self, part: Part) -> list[str]:
        said = [self._put(f"urgency_{part.value}", percent=self._percent(part.confidence))]
        return said + (self._evidence(part) if part.value != "normal" else [])

    def _mood(self, part: Part, detail: Mapping[str, Any]) -> list[str]:
        turn = {"worse": "turn_worse", "better": "turn_better"}.get(detail.get("mood_turn", ""))
        said = [self._sentences["mood_neutral"]]
        if part.value != "neutral":
            mood = self._texts["moods"][part.value]
            level = self._texts["levels"].get(detail.get("mood_level", ""), "")
            said = [self._put("mood", mood=mood, level=level, percent=self._percent(part.confidence))]
        return said + ([self._sentences[turn]] if turn else [])

    def _likely(self, part: Part, sentence: str) -> list[str]:
        if part.confidence < _SURE:
            return []
        return [self._put(sentence, percent=self._percent(part.confidence)), *self._evidence(part)]

    def _language(self, part: Part) -> list[str]:
        name = self._locale.languages.get(part.value)
        if name is None or part.value == "und":
            return [self._sentences["language_unknown"]]
        return [self._put("language", language=name, percent=self._percent(part.confidence))]

    def _things(self, detail: Mapping[str, Any]) -> list[str]:
        said = []
        for sentence, personal in (("entities", False), ("personal", True)):
            things = [
                f"{self._texts['things'][one['kind']]} {one['value']}"
                for one in detail.get("entities", ())
                if one["personal"] is personal
            ]
            if things:
                said.append(self._put(sentence, things=self._list(things[:10])))
        return said

    def _evidence(self, part: Part) -> list[str]:
        said = []
        if part.words:
            words = list(dict.fromkeys(f"“{_bare(word.text)}”" for word in part.words))[:_SHOWN_WORDS]
            said.append(self._put("words", words=self._list(words)))
        if part.examples:
            said.append(self._put("examples", examples=self._list([f"“{one}”" for one in part.examples])))
        return said

    def _put(self, sentence: str, **values: str) -> str:
        # One pass, so that what a customer wrote is never taken for a template.
        text = self._sentences[sentence]
        pieces = text.split("{")
        return pieces[0] + "".join(_filled(piece, values) for piece in pieces[1:])

    def _percent(self, value: float) -> str:
        return format_percent(value, locale=self._locale)

    def _list(self, items: Sequence[str]) -> str:
        return format_list(items, locale=self._locale)

    def _label(self, topic: str) -> str:
        """In English as the operator calls it, else the translation of a topic that comes with the service."""
        called = self._labels.get(topic, topic)
        return called if self._locale.language == "en" else self._texts["topics"].get(topic, called)


def _filled(piece: str, values: Mapping[str, str]) -> str:
    name, _, rest = piece.partition("}")
    return values.get(name, "") + rest


def _bare(word: str) -> str:
    """Of a lexicon's reason the words alone."""
    return word.partition(": ")[2] or word
