"""One text to its signals: language, features, model, thresholds, reasons."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from services.triage.domain.encoding import Encoder
from services.triage.domain.entities import find_entities
from services.triage.domain.features import Features, extract
from services.triage.domain.judging import Verdicts, judge
from services.triage.domain.label_evidence import loudest
from services.triage.domain.label_model import LabelModel
from services.triage.domain.language import UNDETERMINED, LanguageGuess, decide_language
from services.triage.domain.lexicon import Lexicon
from services.triage.domain.model import BINARY, STRANGE, Evidence, LinearModel, Scores
from services.triage.domain.mood import mood_of
from services.triage.domain.overtones import Overtones, with_overtones
from services.triage.domain.products import Catalogue
from services.triage.domain.signals import UNKNOWN, Reason, Signal, Signals
from services.triage.domain.spans import with_spans
from services.triage.domain.taxonomy import Taxonomy
from services.triage.domain.text import read

Detector = Callable[[str], Mapping[str, float]]
"""Text -> score by language, 0..1, of the languages served and, where the detector knows them, of others. Total: any
text without lone surrogates is allowed."""

EARLIER_WEIGHT = 6.0
"""How much likelier the language of the conversation's earlier messages is than another."""
HINT_WEIGHT = 2.0
"""The same for what the channel or the profile suggests."""
SHARPNESS = 14.0
"""Detector score to log-belief; fitted on the own set's training texts."""
_SURE = 0.8
_HALF = 0.5
_SHOWN = 6
SELF_SERVICE = "self_service"


@dataclass(frozen=True, slots=True)
class Query:
    """A text to classify and what is known before it is read."""

    text: str
    earlier_language: str = ""
    """Language of the conversation's earlier messages, or empty."""
    language_hint: str = ""
    """What the channel or the profile suggests, or empty."""


@dataclass(frozen=True)
class Knowledge:
    """All that classification needs, loaded once."""

    taxonomy: Taxonomy
    lexicons: Mapping[str, Lexicon]
    model: LinearModel
    """By words: every signal."""
    detect: Detector
    self_service: LinearModel
    """By words: whether a request is self-service."""
    topics: LabelModel | None = None
    """In two tiers: the topic. Without it the topic too comes from `model`."""
    overtones: Overtones | None = None
    """What the encoder adds to the signals that are yes or no. Without it, or without `encode`, words decide."""
    encode: Encoder | None = None
    catalogue: Catalogue = field(default_factory=Catalogue)
    """The operator's products, by the words of their names."""

    @property
    def version(self) -> str:
        """Twelve characters, of all parts that may decide."""
        parts = (self.model, self.self_service, self.overtones, self.topics)
        there = [part.version for part in parts if part is not None]
        return "".join(version[: 12 // len(there)] for version in there)


@dataclass(frozen=True)
class _Read:
    """One text, read."""

    query: Query
    guess: LanguageGuess
    features: Features
    scores: Scores


def classify(query: Query, knowledge: Knowledge) -> Signals:
    """The signals of any text. Never fails."""
    return classify_many([query], knowledge)[0]


def classify_many(queries: Sequence[Query], knowledge: Knowledge) -> list[Signals]:
    """The signals of texts, in their order: words first, then the encoder, in one batch for all."""
    found = _with_overtones([_read(query, knowledge) for query in queries], knowledge)
    if knowledge.topics is None or not found:
        return [_signals(one, _words_topic(one, knowledge), knowledge) for one in found]
    verdicts = judge(
        [one.features for one in found],
        [one.query.text for one in found],
        [_tongue(one.guess) for one in found],
        knowledge.topics,
        knowledge.encode,
    )
    return [
        _signals(one, _tiered_topic(one, verdicts, at, knowledge.topics, knowledge), knowledge)
        for at, one in enumerate(found)
    ]


def _read(query: Query, knowledge: Knowledge) -> _Read:
    text = read(query.text)
    guess = _language(text.clean, query, knowledge)
    features = extract(text, _lexicons(guess, knowledge))
    return _Read(query, guess, features, knowledge.model.score(features, guess.language))


def _with_overtones(found: list[_Read], knowledge: Knowledge) -> list[_Read]:
    texts, languages = [one.query.text for one in found], [one.guess.language for one in found]
    scores = with_overtones(
        [one.scores for one in found], texts, languages, knowledge.overtones, knowledge.encode
    )
    return [replace(one, scores=joined) for one, joined in zip(found, scores, strict=True)]


def _tongue(guess: LanguageGuess) -> str:
    """The language to encode in: of a text that seems foreign, that one."""
    return guess.runner_up if guess.because == "foreign" else guess.language


@dataclass(frozen=True)
class _Topic:
    """What is said about the topic, before the threshold."""

    ranked: tuple[str, ...]
    """Served topics, the likeliest first; at most two."""
    second: float
    """Probability of the runner-up."""
    confidence: float
    outside: float
    evidence: tuple[Reason, ...]


def _words_topic(one: _Read, knowledge: Knowledge) -> _Topic:
    scores, model = one.scores, knowledge.model
    served = knowledge.taxonomy.keys
    topics = {key: p for key, p in scores.probabilities["topic"].items() if key in served}
    ranked = sorted(topics, key=lambda key: (-topics[key], key))[:2]
    evidence = _evidence(model.evidence(one.features, "topic", ranked[0], _SHOWN), "topic") if ranked else []
    confidence = scores.topic_confidence
    if one.guess.because == "foreign":
        confidence = min(confidence, STRANGE)
    second = topics[ranked[1]] if len(ranked) > 1 else 0.0
    return _Topic(tuple(ranked), second, confidence, 1.0 - confidence, tuple(evidence))


def _tiered_topic(one: _Read, verdicts: Verdicts, at: int, model: LabelModel, knowledge: Knowledge) -> _Topic:
    served = knowledge.taxonomy.keys
    scores = verdicts.probabilities[at]
    order = [int(i) for i in np.argsort(-scores, kind="stable") if model.labels[int(i)] in served][:2]
    confidence = float(verdicts.confidence[at]) if order else 0.0
    if one.guess.language == UNDETERMINED:
        confidence = min(confidence, STRANGE)
    read = "both encoders" if verdicts.reread[at] else "encoder"
    evidence = [Reason("topic", "tier", f"words and {read}" if verdicts.encoded[at] else "words alone")]
    if order:
        evidence += [
            Reason("topic", source, detail, weight)
            for source, detail, weight in loudest(one.features, model, order[0], _SHOWN)
        ]
        if model.encoder is not None and model.encoder.example_texts:
            evidence += [
                Reason("topic", "example", model.encoder.example_texts[index], round(cosine, 4))
                for index, cosine in verdicts.neighbours[at]
            ]
    second = float(scores[order[1]]) if len(order) > 1 else 0.0
    ranked = tuple(model.labels[i] for i in order)
    return _Topic(ranked, second, confidence, float(verdicts.outside[at]), tuple(evidence))


def _signals(one: _Read, topic: _Topic, knowledge: Knowledge) -> Signals:
    guess, features, scores = one.guess, one.features, one.scores
    taxonomy, model = knowledge.taxonomy, knowledge.model
    reasons = [*_language_reasons(guess, one.query)]
    best = topic.ranked[0] if topic.ranked else UNKNOWN
    believed = bool(topic.ranked) and topic.confidence >= taxonomy.thresholds.topic
    reasons += topic.evidence
    if len(topic.ranked) > 1:
        reasons.append(Reason("topic", "runner_up", topic.ranked[1], topic.second))
    if not believed:
        detail = f"best was {best}, {topic.confidence:.2f} is below the threshold"
        reasons.append(Reason("topic", "threshold", detail, taxonomy.thresholds.topic))

    kind, kind_reasons = _kind(scores, taxonomy)
    reasons += kind_reasons
    if kind.value not in ("request", "unsure"):
        reasons += _evidence(model.evidence(features, "kind", kind.value, _SHOWN), "kind")
    urgency, urgency_reasons = _urgency(scores, taxonomy)
    reasons += urgency_reasons
    if urgency.value != "normal":
        reasons += _evidence(model.evidence(features, "urgency", urgency.value, 4), "urgency")
    chances = {head: scores.probabilities.get(head, {}).get(head, 0.0) for head in BINARY}
    for head, probability in chances.items():
        if probability >= _HALF:
            signal = "wish_for_person" if head == "person" else head
            reasons += _evidence(model.evidence(features, head, head, 4), signal)
    by_itself = knowledge.self_service.chance(features, SELF_SERVICE)
    if not believed:
        # Noise has no topic either; and no page can be the answer to what is about nobody knows what.
        by_itself = min(by_itself, topic.confidence)
    if by_itself >= _HALF:
        reasons += _evidence(
            knowledge.self_service.evidence(features, SELF_SERVICE, SELF_SERVICE, 4), SELF_SERVICE
        )
    mood = mood_of(chances, features.columns)
    reasons += [
        Reason(
            "mood_strength", "lexicon", f"{name}: {', '.join(features.hits.get(name, ())[:3])}".rstrip(": ")
        )
        for name in mood.columns[:4]
    ]
    return Signals(
        language=Signal(guess.language, guess.confidence),
        topic=Signal(best if believed else UNKNOWN, topic.confidence if topic.ranked else 0.0),
        best_topic=best,
        kind=kind,
        urgency=urgency,
        anger=chances["anger"],
        wish_for_person=chances["person"],
        spam=scores.probabilities["kind"].get("spam", 0.0),
        known_share=scores.known_share,
        model_version=knowledge.version,
        policy_version=taxonomy.version,
        reasons=with_spans(reasons, one.query.text),
        out_of_scope=topic.outside,
        mood=Signal(mood.value, mood.confidence),
        mood_strength=mood.strength,
        disappointment=chances["disappointment"],
        joy=chances["joy"],
        complexity=chances["complexity"],
        self_service=by_itself,
        entities=find_entities(one.query.text, knowledge.catalogue),
    )


def _language(clean: str, query: Query, knowledge: Knowledge) -> LanguageGuess:
    prior: dict[str, float] = {}
    for code, weight in ((query.earlier_language, EARLIER_WEIGHT), (query.language_hint, HINT_WEIGHT)):
        if code:
            prior[code] = prior.get(code, 1.0) * weight
    return decide_language(
        clean,
        languages=knowledge.taxonomy.languages,
        scores=knowledge.detect(clean),
        prior=prior,
        sharpness=SHARPNESS,
    )


def _lexicons(guess: LanguageGuess, knowledge: Knowledge) -> list[Lexicon]:
    codes = [guess.language, "en"]
    if guess.confidence < _SURE and guess.runner_up in knowledge.lexicons:
        codes.insert(1, guess.runner_up)
    return [knowledge.lexicons[code] for code in dict.fromkeys(codes) if code in knowledge.lexicons]


def _language_reasons(guess: LanguageGuess, query: Query) -> list[Reason]:
    if guess.because == "foreign":
        return [Reason("language", "word", f"reads like {guess.runner_up}, which is not served")]
    if guess.language == UNDETERMINED:
        return [Reason("language", "word", "no letters of the languages served")]
    reasons = []
    if guess.because == "script":
        reasons.append(Reason("language", "word", "Arabic script"))
    elif guess.because == "letters":
        reasons.append(Reason("language", "word", "Romanian letters"))
    if guess.language in (query.earlier_language, query.language_hint):
        earlier = guess.language == query.earlier_language
        reasons.append(Reason("language", "prior", "earlier messages" if earlier else "hint of the channel"))
    if guess.runner_up and guess.runner_up_confidence >= 0.01:
        reasons.append(Reason("language", "runner_up", guess.runner_up, guess.runner_up_confidence))
    return reasons


def _kind(scores: Scores, taxonomy: Taxonomy) -> tuple[Signal, list[Reason]]:
    kinds, limits = scores.probabilities["kind"], taxonomy.thresholds
    least = {"thanks": limits.thanks, "automatic": limits.automatic, "spam": limits.spam}
    others = sorted(least, key=lambda name: (-kinds[name], name))
    for name in others:
        if kinds[name] >= least[name]:
            return Signal(name, kinds[name]), []
    if kinds["request"] >= _HALF:
        return Signal("request", kinds["request"]), []
    best = others[0]
    below = Reason("kind", "threshold", f"{best} {kinds[best]:.2f} is below the threshold", least[best])
    return Signal("unsure", 1.0 - kinds[best]), [below]


def _urgency(scores: Scores, taxonomy: Taxonomy) -> tuple[Signal, list[Reason]]:
    levels, limits = scores.probabilities["urgency"], taxonomy.thresholds
    for name, least in (("high", limits.urgency_high), ("low", limits.urgency_low)):
        if levels[name] >= least:
            return Signal(name, levels[name]), []
    best = "high" if levels["high"] >= levels["low"] else "low"
    least = limits.urgency_high if best == "high" else limits.urgency_low
    below = Reason("urgency", "threshold", f"{best} {levels[best]:.2f} is below the threshold", least)
    return Signal("normal", levels["normal"]), [below] if levels[best] >= least / 2 else []


def _evidence(found: Sequence[Evidence], signal: str) -> list[Reason]:
    return [Reason(signal, item.source, item.detail, item.weight) for item in found]
