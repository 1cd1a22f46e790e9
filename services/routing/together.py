"""Questions that come while an answer is fetched are asked together: one statement for all of them."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")


class Together(Generic[Q, A]):
    """Asks `answer` for lists of questions; it gives the answers in their order.

    Who asks alone is answered at once; a thousand who ask at once cost as many statements as there are lists of
    `most`. `most` bounds what one list holds of the event loop. An error is raised for everybody whose list it was.
    """

    def __init__(self, answer: Callable[[Sequence[Q]], Awaitable[Sequence[A]]], most: int = 100) -> None:
        self._answer = answer
        self._most = most
        self._asked: list[tuple[Q, asyncio.Future[A]]] = []
        self._work: asyncio.Task[None] | None = None

    async def __call__(self, question: Q) -> A:
        mine: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._asked.append((question, mine))
        if self._work is None:
            self._work = asyncio.create_task(self._answer_all())
        return await mine

    async def _answer_all(self) -> None:
        try:
            while self._asked:
                batch, self._asked = self._asked[: self._most], self._asked[self._most :]
                await self._answer_some([one for one in batch if not one[1].done()])
        finally:
            self._work = None
            for _, one in self._asked:
                one.cancel()
            self._asked = []

    async def _answer_some(self, batch: list[tuple[Q, "asyncio.Future[A]"]]) -> None:
        try:
            answers = await self._answer([question for question, _ in batch])
        except Exception as error:  # noqa: BLE001 - raised again by everyone who asked
            for _, one in batch:
                if not one.done():
                    one.set_exception(error)
            return
        except BaseException:
            for _, one in batch:
                one.cancel()
            raise
        for (_, one), answer in zip(batch, answers, strict=True):
            if not one.done():
                one.set_result(answer)
