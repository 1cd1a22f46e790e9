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

_SHORT = (
    "the", "is", "to", "in", "it", "a", "il", "di", "la", "che", "e", "per", "un", "de", "si", "nu", "pe", "le", "et",
    "en", "que", "o", "os", "do", "da", "no", "el", "los", "y", "der", "die", "das", "und", "ist", "so", "was",
)  # fmt: skip


def noise_texts(count: int, seed: int) -> list[str]:
    """`count` texts: random letters, syllables, keyboard runs, other scripts, nonsense between real short words.

    The same for a seed.
    """
    source = random.Random(seed)
    makers = (_letters, _syllables, _keyboard, _script, _mixed)
    return [makers[index % len(makers)](source) for index in range(count)]


def machine_texts(count: int, seed: int) -> list[str]:
    """`count` texts that machines wrote: encoded bytes, markup, identifiers, addresses. The same for a seed."""
    source = random.Random(seed)
    makers = (_encoded, _markup, _identifiers, _script)
    return [makers[index % len(makers)](source) for index in range(count)]


def _encoded(source: random.Random) -> str:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return "\n".join("".join(source.choices(alphabet, k=76)) for _ in range(source.randint(1, 30)))


def _markup(source: random.Random) -> str:
    tags = ("html", "body", "div", "span", "p", "br", "td", "table", "a", "b")
    parts = [f"<{tag} class='{tag[0]}{source.randint(1, 9)}'></{tag}>" for tag in source.choices(tags, k=5)]
    return "".join(parts)


def _identifiers(source: random.Random) -> str:
    return " ".join(
        f"{source.getrandbits(source.choice((32, 64, 128))):x}" for _ in range(source.randint(1, 6))
    )


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


def _mixed(source: random.Random) -> str:
    """As a text in a language that is not served looks: strange words between short ones that are known."""
    strange = "".join(source.choices("aeioukmnrtsjvzy", k=1))
    words = []
    for _ in range(source.randint(4, 12)):
        if source.random() < 0.4:
            words.append(source.choice(_SHORT))
        else:
            words.append(strange + "".join(source.choices("aeioukmnrtsjvzyglph", k=source.randint(3, 8))))
    return " ".join(words)


def _script(source: random.Random) -> str:
    low, high = source.choice(_SCRIPTS)
    return " ".join(
        "".join(chr(source.randint(low, high)) for _ in range(source.randint(2, 8))) for _ in range(6)
    )
