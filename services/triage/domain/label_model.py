"""A model of any set of labels in tiers: hashed words, a sentence encoder, two of them. Numpy only.

A text is scored by words first. Where they alone are not sure, the encoder's scores join: logits are added, each with
a weight that was fitted on texts no part had seen ("log-linear pooling"). What is still not sure is read again, by both
encoders side by side. How far a text lies from everything the model was trained on is told apart from how sure the label
is: by the highest logit and by the nearest labelled examples, never by the softmax (measured:
`docs/decisions/0015-two-tiers.md`, 0029, 0041).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.triage.domain.encoding import Floats

Ints = npt.NDArray[np.int32]

NEVER = 2.0
"""As `sure` and `below`: no text is sure enough, so every one goes to the next tier."""


@dataclass(frozen=True)
class EncoderHead:
    """The second tier."""

    weights: Floats
    """DIMENSIONS x labels."""
    bias: Floats
    far_weights: Floats
    """DIMENSIONS x labels, for texts in languages that were not trained: held back more, for what crosses is coarser."""
    far_bias: Floats
    examples: Floats
    """Unit vectors of labelled examples, examples x DIMENSIONS, in the order of their labels."""
    example_labels: Ints
    """Index of the label of each example, ascending."""
    example_texts: tuple[str, ...]
    """The examples' words, for explanations; empty when they are not kept."""


@dataclass(frozen=True, slots=True)
class Mixture:
    """How scores become logits, fitted on texts that the parts had not seen."""

    words: float
    """Weight of the words' score, times `word_weight`."""
    encoder: float
    words_alone: float
    """Weight of the words' score where they decide alone."""
    sure: float
    """Probability, by words alone, from which the encoder is not asked."""


@dataclass(frozen=True, slots=True)
class Scope:
    """From the highest score and the nearness of examples to the chance that a text is out of scope."""

    top_mean: float
    top_scale: float
    near_mean: float
    near_scale: float
    top: float
    near: float
    intercept: float


@dataclass(frozen=True)
class Rereading:
    """The third tier: both encoders side by side, for texts in trained languages that the tiers before leave unsure."""

    weights: Floats
    """BESIDE x labels."""
    bias: Floats
    words: float
    """As of `Mixture`, and so is the next."""
    encoder: float
    below: float
    """Confidence of the tiers before under which a text is read again; NEVER where each one is."""
    confidence: Mapping[str, float]
    """As of `LabelModel`, for what was read again."""
    scope: Scope


@dataclass(frozen=True)
class LabelModel:
    """Made by training, never changed."""

    version: str
    labels: tuple[str, ...]
    word_rows: Ints
    """Bucket of words -> row of `weights`, or -1."""
    letter_rows: Ints
    column_rows: Mapping[str, int]
    weights: Floats
    """Rows x labels."""
    bias: Floats
    known: frozenset[int]
    """Buckets of the single words of the training texts."""
    languages: frozenset[str]
    """Languages of the training texts. In another one words say nothing; when empty they are not known, and words
    count everywhere."""
    thin: frozenset[str]
    """Those of them with so few texts that they are read as languages that were not trained are: by both encoders."""
    encoder: EncoderHead | None
    rereading: Rereading | None
    """Only beside an `encoder`, and where it was worth its time."""
    mixture: Mixture
    confidence: Mapping[str, float]
    """The logistic map from the log-odds of the best label to the chance that it is right: `slope`, `intercept`,
    `near`, `known`, and by trained language `language:CODE`; for words alone `words_slope`, `words_intercept`."""
    scope: Scope
    scope_words: Scope
    """The same where words decide alone; its nearness is the share of known words."""
