"""What the sentence encoder adds to the answers that are yes or no: anger, the wish for a person and the like.

Words tell what was said outright, the encoder what it sounds like in words that training never held. The log-odds of
both are added with weights that were fitted on texts neither had seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from services.triage.domain.encoding import Encoder, Floats
from services.triage.domain.language import UNDETERMINED
from services.triage.domain.model import Scores
from services.triage.domain.probabilities import log_odds, logistic
from services.triage.domain.wish import HEAD, Wish


@dataclass(frozen=True)
class Overtones:
    """Made by training, never changed. Arrays are in the order of `heads`."""

    version: str
    heads: tuple[str, ...]
    weights: Floats
    """DIMENSIONS x heads."""
    bias: Floats
    words: Floats
    """Weight of the log-odds by words."""
    encoder: Floats
    """Weight of the encoder's score."""
    offset: Floats
    wish: Wish | None = None
    """The wish for a person, which has a machine of its own and is none of `heads`."""


def with_overtones(
    scores: Sequence[Scores],
    texts: Sequence[str],
    languages: Sequence[str],
    heads: Overtones | None,
    encode: Encoder | None,
) -> list[Scores]:
    """Scores by words -> the same with what the encoder adds. Of texts in no language served (`und`), and where heads or
    encoder are missing, words alone are believed."""
    found = list(scores)
    rows = [at for at, code in enumerate(languages) if code != UNDETERMINED]
    if heads is None or encode is None or not rows:
        return found
    vectors = encode([texts[at] for at in rows], [languages[at] for at in rows])
    said = np.array([[scores[at].probabilities[head][head] for head in heads.heads] for at in rows])
    added = heads.encoder * (vectors @ heads.weights + heads.bias) + heads.offset
    names, chances = heads.heads, logistic(heads.words * log_odds(said) + added)
    if heads.wish is not None:
        asked = log_odds(np.array([scores[at].probabilities[HEAD][HEAD] for at in rows]))
        wishes = heads.wish.chances(
            asked, vectors, [texts[at] for at in rows], [languages[at] for at in rows], encode
        )
        names, chances = (*names, HEAD), np.column_stack([chances, wishes])
    for at, one in zip(rows, chances.tolist(), strict=True):
        joined = {head: {head: chance} for head, chance in zip(names, one, strict=True)}
        found[at] = replace(scores[at], probabilities={**scores[at].probabilities, **joined})
    return found
