"""The examples are valid, every consumer takes every example, and twice is once."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message import Message

from libs.contracts import CATALOGUE, key_of, message_type
from libs.runtime import ServiceDefinition
from libs.storage import fetch_all
from libs.streams import Place, dead_letters
from services.registry import services
from tests.support.harness import running

EXAMPLES = Path(__file__).resolve().parents[2] / "proto" / "examples"
NAMES = sorted(CATALOGUE)


def _load(name: str) -> Iterator[Message]:
    kind = message_type(name)
    assert kind is not None
    for path in sorted((EXAMPLES / name.rsplit(".", 1)[1]).glob("*.json")):
        yield ParseDict(json.loads(path.read_text()), kind())


@pytest.mark.parametrize("name", NAMES)
def test_every_event_has_an_example_that_is_whole(name: str) -> None:
    examples = list(_load(name))
    assert examples
    for example in examples:
        assert key_of(example)
        assert type(example).FromString(example.SerializeToString()) == example
        assert ParseDict(MessageToDict(example), type(example)()) == example


def test_no_example_is_of_an_unknown_event() -> None:
    assert {p.name for p in EXAMPLES.iterdir()} == {name.rsplit(".", 1)[1] for name in NAMES}


async def _state(service: Any, schema: str) -> dict[str, list[tuple[Any, ...]]]:
    """The service's rows, without what may differ between runs: positions and times of the database."""
    async with service.database.read() as connection:
        tables = await fetch_all(
            connection, "SELECT tablename::text FROM pg_tables WHERE schemaname = $1 ORDER BY 1", schema
        )
        result = {}
        for (table,) in tables:
            if table not in {"positions", "alembic_version", "alembic_version_streams"}:
                rows = await fetch_all(connection, f"SELECT t::text FROM {schema}.{table} t ORDER BY 1")
                result[table] = rows
        return result


@pytest.mark.parametrize("definition", services(), ids=lambda d: d.name)
async def test_a_consumer_takes_every_example_and_a_second_delivery_changes_nothing(
    definition: ServiceDefinition,
) -> None:
    handled = [name for stream in definition.streams for name in stream.events]
    async with running(definition, tasks=False) as service:
        for name in handled:
            if not name.endswith(("PayloadAccepted", "PoolCommand")):
                await service.publish(*_load(name))
        await service.settle()
        async with service.database.read() as connection:
            assert [letter.error for letter in await dead_letters.page(connection, definition.name)] == []
        before = await _state(service, definition.name)
        for processor in service.assembled.processors:
            await processor.leave()
            processor.claims.forget()
        # The log hands every row over again, as after a crash of the transport: numbers drop them all.
        for processor in service.assembled.processors:
            await processor.round()
            source = dict.fromkeys(processor.claims.positions, Place(0))
            again = await processor.subscription.poll(source, 1000, 10_000_000, 0)
            assert processor.claims.fresh(again)[0] == []
        await service.settle()
        assert await _state(service, definition.name) == before
