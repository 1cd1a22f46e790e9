"""The products an operator sells, by the words of their names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from services.triage.domain.text import WORD, fold


@dataclass(frozen=True, slots=True)
class Product:
    """A product of the operator and the names customers use for it."""

    key: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Products by the words of their names. Build it by `catalogue_of`."""

    by_first: Mapping[str, tuple[tuple[tuple[str, ...], str], ...]] = field(default_factory=dict)


def catalogue_of(products: Sequence[Product]) -> Catalogue:
    """Names are compared without case and diacritics, longer ones first."""
    found: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for product in products:
        for name in product.names:
            words = tuple(match.group() for match in WORD.finditer(fold(name)))
            if words:
                found.setdefault(words[0], []).append((words, product.key))
    return Catalogue(
        {first: tuple(sorted(names, key=lambda n: -len(n[0]))) for first, names in found.items()}
    )
