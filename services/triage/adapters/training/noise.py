"""Texts that are about nothing, made by a fixed rule: training learns from them that strange is not sure."""

import random

_SCRIPTS = (
    (0x0410, 0x044F),
    (0x03B1, 0x03C9),
    (0x4E00, 0x4FFF),
    (0x3042, 0x3093),
    (0xAC00, 0xAFFF),
    (0x0905, 0x0939),
)
_SYLLABLES = (
    "lo",
    "rem",
    "ip",
    "sum",
    "do",
    "lor",
    "sit",
    "a",
    "met",
    "con",
    "sec",
    "te",
    "tur",
    "ad",
    "pis",
    "cing",
    "el",
    "it",
)


def noise_texts(count: int, seed: int) -> list[str]:
    """`count` texts: random letters, made-up syllables, keyboard runs, other scripts. The same for a seed."""
    source = random.Random(seed)
    makers = (_letters, _syllables, _keyboard, _script)
    return [makers[index % len(makers)](source) for index in range(count)]


def _letters(source: random.Random) -> str:
    alphabet = "abcdefghijklmnopqrstuvwxyz"
    return " ".join(
        "".join(source.choices(alphabet, k=source.randint(2, 10))) for _ in range(source.randint(1, 14))
    )


def _syllables(source: random.Random) -> str:
    return " ".join(
        "".join(source.choices(_SYLLABLES, k=source.randint(2, 4))) for _ in range(source.randint(3, 16))
    )


def _keyboard(source: random.Random) -> str:
    row = source.choice(("qwertyuiop", "asdfghjkl", "zxcvbnm", "ضصثقفغعهخحج"))
    return " ".join(
        "".join(source.choices(row, k=source.randint(3, 12))) for _ in range(source.randint(1, 5))
    )


def _script(source: random.Random) -> str:
    low, high = source.choice(_SCRIPTS)
    return " ".join(
        "".join(chr(source.randint(low, high)) for _ in range(source.randint(2, 8))) for _ in range(6)
    )
