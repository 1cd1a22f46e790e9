"""From a message that is accepted to its decision on the log, one at a time on an idle embedded platform.

No text comes twice, so none is known from before: they are the messages in `bench/unseen`, eight languages in turn.

Counted from the answer 202 (the message is durable) until the decision's row can be read by another connection, which
looks every millisecond; beside it from the moment the request was sent.
"""

import argparse
import asyncio
import time

import asyncpg

from bench.hosts import platform
from bench.life import QUICK
from bench.report import write
from bench.triage_unseen import unseen_messages
from bench.wire import Wire
from libs.storage.embedded import EmbeddedPostgres

_WARM_UP = 24
_LANGUAGES = ("en", "it", "ro", "ar", "fr", "pt", "es", "de")
_LONGEST_SECONDS = 10.0
_COUNT = """SELECT coalesce(sum(c.number), 0)::bigint FROM log.counters c JOIN log.topics t ON t.id = c.topic
WHERE t.name = 'triage.decisions.v1'"""


async def waits(url: str, database: str, messages: int, pause: float) -> list[tuple[float, float]]:
    """Milliseconds (from accepted, from sent) of each message. Raises RuntimeError when one got no decision."""
    by_language = [unseen_messages([code]) for code in _LANGUAGES]
    texts = [row.text for turn in zip(*by_language, strict=True) for row in turn]
    if messages + _WARM_UP > len(texts):
        raise ValueError(f"there are {len(texts)} texts, so at most {len(texts) - _WARM_UP} messages")
    wire, connection = Wire(url), await asyncpg.connect(database)
    decided = await connection.prepare(_COUNT)
    found = []
    for number in range(messages + _WARM_UP):
        await asyncio.sleep(pause)
        before = await decided.fetchval()
        body = {
            "channel": "chat",
            "sender": {"external_id": f"decisions-{number}", "name": "Tom"},
            "text": texts[number],
        }
        sent = time.perf_counter()
        status, _, answer = await wire.ask("POST", "/ingest/v1/messages", body)
        accepted = time.perf_counter()
        if status != 202:
            raise RuntimeError(f"message {number} was answered with {status}: {answer}")
        while await decided.fetchval() == before:
            if time.perf_counter() - sent > _LONGEST_SECONDS:
                raise RuntimeError(f"message {number} got no decision in {_LONGEST_SECONDS:.0f} s")
            await asyncio.sleep(0.001)
        seen = time.perf_counter()
        if number >= _WARM_UP:
            found.append((1000 * (seen - accepted), 1000 * (seen - sent)))
    await connection.close()
    return found


def measure(messages: int, pause: float) -> None:
    with platform(**QUICK) as (url, data):
        database = EmbeddedPostgres(data).url
        found = asyncio.run(waits(url, database, messages, pause))
    after, whole = (sorted(one[part] for one in found) for part in (0, 1))

    def row(what: str, values: list[float], must: str, aim: str) -> list[str]:
        p50, p99 = values[len(values) // 2], values[int(len(values) * 0.99)]
        return [what, f"{p50:.1f}", f"{p99:.1f}", f"{values[-1]:.1f}", must, aim]

    write(
        "decisions",
        "From accepted to the decision on the log, idle, embedded",
        f"python -m bench.decisions --messages {messages} --pause {pause}",
        ["what", "p50, ms", "p99, ms", "longest, ms", "must (p99)", "aim"],
        [
            row("from the answer 202", after, "100", "40"),
            row("from sending the request", whole, "", ""),
        ],
        f"{messages} messages of as many senders, no text twice, eight languages in turn, one after the other.",
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=200)
    parser.add_argument("--pause", type=float, default=0.3)
    given = parser.parse_args()
    measure(given.messages, given.pause)
