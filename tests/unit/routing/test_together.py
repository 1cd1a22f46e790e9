"""Questions put together: few lists, every answer to its asker, an error to all whose list it was."""

import asyncio
from collections.abc import Sequence

import pytest

from services.routing.together import Together


async def test_who_asks_while_an_answer_is_fetched_is_answered_with_the_others() -> None:
    lists: list[list[int]] = []
    go = asyncio.Event()

    async def answer(questions: Sequence[int]) -> list[int]:
        lists.append(list(questions))
        await go.wait()
        return [10 * one for one in questions]

    ask = Together(answer, most=3)
    asked = [asyncio.create_task(ask(1))]
    await asyncio.sleep(0.01)
    asked += [asyncio.create_task(ask(n)) for n in range(2, 7)]
    await asyncio.sleep(0.01)
    asked[3].cancel()
    go.set()
    found = await asyncio.gather(*asked, return_exceptions=True)
    assert [one for one in found if isinstance(one, int)] == [10, 20, 30, 50, 60]
    assert lists == [[1], [2, 3], [5, 6]], "the fourth has gone before its list was asked"
    assert await ask(7) == 70


async def test_an_error_is_told_to_everybody_whose_list_it_was_and_to_nobody_else() -> None:
    async def answer(questions: Sequence[int]) -> list[int]:
        if 13 in questions:
            raise ValueError("thirteen")
        return list(questions)

    ask = Together(answer, most=2)
    found = await asyncio.gather(*(ask(n) for n in (1, 13, 3, 4)), return_exceptions=True)
    assert [str(one) for one in found] == ["thirteen", "thirteen", "3", "4"]
    with pytest.raises(ValueError, match="thirteen"):
        await ask(13)
