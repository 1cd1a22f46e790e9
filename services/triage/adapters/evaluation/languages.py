"""Language identification, measured: the detector restricted to the languages of the files, or a model of the train
file where one of them is unknown to it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from babel.core import Locale, get_global

from services.triage.adapters.evaluation.labels import Tools, evaluate_labels
from services.triage.adapters.evaluation.report import Evaluation, Prediction, basic, by_language
from services.triage.adapters.labelled_files import Row
from services.triage.domain.language import UNDETERMINED, decide_language
from services.triage.domain.text import read

_SHARPNESS: Final = 14.0


def evaluate_languages(
    train: Sequence[Row], test: Sequence[Row], tools: Tools, seed: int, progress: Callable[[str], None]
) -> Evaluation:
    """The label is the language: a code of two or three letters, or its English name."""
    train, test = _labelled(train), _labelled(test)
    codes = {label: code_of(label) for label in {row.label for row in [*train, *test]}}
    served = sorted({code for code in codes.values() if code})
    detector = _restricted(served) if served and all(codes.values()) else None
    if detector is None:
        progress("a language is unknown to the detector: a model of the train file decides")
        found = evaluate_labels(train, test, replace(tools, encode=None), "language", tier="words", seed=seed)
        return replace(found, notes=[*found.notes, "languages told apart by a model of the train file"])
    names = {code: label for label, code in sorted(codes.items(), reverse=True) if code}
    predictions = []
    for row in test:
        clean = read(row.text).clean
        guess = decide_language(
            clean, languages=served, scores=detector(clean), prior={}, sharpness=_SHARPNESS
        )
        foreign = guess.language == UNDETERMINED
        predictions.append(
            Prediction(
                replace(row, language=codes[row.label]),
                names.get(guess.language, UNDETERMINED),
                0.0 if foreign else guess.confidence,
                guess.confidence if foreign else 1.0 - guess.confidence,
            )
        )
    note = f"detector restricted to {', '.join(served)}; the train file is not needed for it"
    return Evaluation("language", basic(predictions), by_language(predictions), predictions, [note])


def code_of(label: str) -> str:
    """The code of two letters of a code of two or three letters or an English name; empty where there is none."""
    name = label.strip().casefold()
    english = Locale("en").languages
    if len(name) == 2 and name in english:
        return name
    aliases = get_global("language_aliases")
    if isinstance(found := aliases.get(name), str) and len(found) == 2:
        return found
    return next((code for code, told in english.items() if told.casefold() == name and len(code) == 2), "")


def _labelled(rows: Sequence[Row]) -> list[Row]:
    """Files of the other tasks carry the language in `lang`; with a label too, the label counts."""
    return [row if row.label else replace(row, label=row.language) for row in rows]


def _restricted(languages: Sequence[str]) -> Any:
    from services.triage.adapters.language_detectors import knows, only_detector

    return only_detector(languages) if all(knows(code) for code in languages) else None
