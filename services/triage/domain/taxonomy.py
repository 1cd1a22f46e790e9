"""The operator's taxonomy: topics, thresholds and rules, as values."""

from dataclasses import dataclass

from services.triage.domain.products import Product
from services.triage.domain.rules import Rule


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic of the taxonomy."""

    key: str
    label: str
    about: str


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Probabilities, 0..1, from which a signal is believed."""

    topic: float
    """Below it the topic is `unknown`."""
    thanks: float
    automatic: float
    spam: float
    """A message that reaches none of the three, yet is likely no request, is `unsure`: a person sees it."""
    urgency_high: float
    urgency_low: float


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """All that an operator configures of triage."""

    version: str
    """Hash of the content."""
    languages: tuple[str, ...]
    topics: tuple[Topic, ...]
    thresholds: Thresholds
    rules: tuple[Rule, ...]
    """In force until rules are put over HTTP."""
    products: tuple[Product, ...] = ()

    @property
    def keys(self) -> frozenset[str]:
        """The keys of all topics."""
        return frozenset(topic.key for topic in self.topics)
