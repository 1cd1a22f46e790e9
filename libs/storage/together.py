"""Several statements as one: a round trip to the database costs more than most of the work that it asks for."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from libs.storage.sql import Rows, run

_REMEMBERED = 2_000
_PARAMETER = re.compile(r"\$(\d+)")


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement whose parameters are $1, $2, ... with what stands for them."""

    text: str
    arguments: Sequence[Any]


async def execute_together(connection: AsyncConnection, statements: Sequence[Statement]) -> None:
    """Runs statements that write different rows. None sees what the others write, and the order is the database's."""
    if statements:
        text = _written(tuple(statement.text for statement in statements))
        await run(connection, text, _arguments(statements))


async def fetch_together(connection: AsyncConnection, statements: Sequence[Statement]) -> list[Rows]:
    """The rows of each SELECT, which locks its rows after those of the SELECTs before it."""
    if len(statements) == 1:
        return [await run(connection, statements[0].text, statements[0].arguments)]
    text = _read(tuple(statement.text for statement in statements))
    (found,) = await run(connection, text, _arguments(statements))
    return list(found)


def _arguments(statements: Sequence[Statement]) -> list[Any]:
    return [argument for statement in statements for argument in statement.arguments]


@lru_cache(_REMEMBERED)
def _written(texts: tuple[str, ...]) -> str:
    *others, last = _numbered_on(texts)
    named = ", ".join(f"w{number} AS ({text})" for number, text in enumerate(others))
    return f"WITH {named} {last}" if named else last


@lru_cache(_REMEMBERED)
def _read(texts: tuple[str, ...]) -> str:
    return "SELECT " + ", ".join(f"ARRAY(SELECT r FROM ({text}) AS r)" for text in _numbered_on(texts))


def _numbered_on(texts: Sequence[str]) -> list[str]:
    """The statements with their parameters numbered one after the other."""
    numbered, before = [], 0
    for text in texts:
        numbered.append(_shifted(text, before))
        before += max((int(number) for number in _PARAMETER.findall(text)), default=0)
    return numbered


def _shifted(text: str, by: int) -> str:
    return _PARAMETER.sub(lambda found: f"${int(found[1]) + by}", text)
