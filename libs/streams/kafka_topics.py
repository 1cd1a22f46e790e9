"""The topics of `proto/topics` on a broker: created, and changed where they differ. Nothing is ever removed."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError, for_code

from libs.contracts import PARTITIONS, TOPICS, Topic
from libs.streams.broker import MAX_REQUEST_BYTES, Broker, faults
from libs.streams.errors import Retry, TopicsRefused

_DAY_MS = 86_400_000
_LOOK_SECONDS = 0.05
_SECONDS = 60.0
_TOPIC_LEVEL = 1
"""Source of a setting that was made on the topic itself, as the protocol numbers it."""


@dataclass(frozen=True, slots=True)
class Change:
    """What was done to a topic."""

    topic: str
    """Its name on the broker."""
    what: str


def settings_of(topic: Topic) -> dict[str, str]:
    """The settings of a topic on the broker."""
    kept = {"cleanup.policy": "compact"} if topic.compact else {"cleanup.policy": "delete"}
    kept["retention.ms"] = "-1" if topic.compact else str(topic.retention_days * _DAY_MS)
    return kept | {"max.message.bytes": str(MAX_REQUEST_BYTES)}


async def apply_topics(
    broker: Broker, *, replication: int = 1, names: Iterable[str] | None = None
) -> list[Change]:
    """Brings the broker's topics to what the catalogue says; run again it changes nothing.

    `replication` is for topics that are created; `names` are all that are not local by default. Raises
    TopicsRefused before anything is changed, and Retry when the broker does not answer.
    """
    wanted = {broker.topic(n): TOPICS[n] for n in sorted(names or TOPICS) if not TOPICS[n].local}
    admin = AIOKafkaAdminClient(**broker.options())
    with faults("applying topics"):
        try:
            async with asyncio.timeout(_SECONDS):
                return await _apply(admin, wanted, replication)
        finally:
            await admin.close()


async def _apply(admin: Any, wanted: Mapping[str, Topic], replication: int) -> list[Change]:
    await admin.start()
    there = await _there(admin, wanted)
    _refuse_shrinking(there)
    changes = await _create(admin, {n: t for n, t in wanted.items() if n not in there}, replication)
    made = {change.topic for change in changes}
    while not wanted.keys() <= (there := await _there(admin, wanted)).keys():  # noqa: ASYNC110 - there is no event
        await asyncio.sleep(_LOOK_SECONDS)
    _refuse_shrinking(there)
    changes += await _grow(admin, [name for name, count in there.items() if count < PARTITIONS])
    return changes + await _configure(admin, {n: t for n, t in wanted.items() if n not in made})


async def _there(admin: Any, names: Iterable[str]) -> dict[str, int]:
    """Partitions of the topics that the broker knows."""
    found = await admin.describe_topics(list(names))
    return {topic["topic"]: len(topic["partitions"]) for topic in found if topic["error_code"] == 0}


def _refuse_shrinking(there: Mapping[str, int]) -> None:
    wide = {name: count for name, count in there.items() if count > PARTITIONS}
    if wide:
        seen = ", ".join(f"{name} has {count}" for name, count in sorted(wide.items()))
        raise TopicsRefused(
            f"{seen} partitions, expected {PARTITIONS}: partitions cannot be taken away."
            " Nothing was changed. Set CENTRALINO_KAFKA_PREFIX to begin with topics of other names, or remove these"
            " topics once every group has read them"
        )


async def _create(admin: Any, topics: Mapping[str, Topic], replication: int) -> list[Change]:
    if not topics:
        return []
    answer = await admin.create_topics(
        [
            NewTopic(name, PARTITIONS, replication, topic_configs=settings_of(topic))
            for name, topic in topics.items()
        ]
    )
    # One that somebody else has made meanwhile is looked at like any that was there.
    made = [error for error in answer.topic_errors if error[1] != TopicAlreadyExistsError.errno]
    _check(made)
    return [Change(name, f"created with {PARTITIONS} partitions") for name, *_ in made]


async def _grow(admin: Any, names: list[str]) -> list[Change]:
    if not names:
        return []
    answer = await admin.create_partitions({name: NewPartitions(PARTITIONS) for name in names})
    _check(answer.topic_errors)
    return [Change(name, f"grown to {PARTITIONS} partitions") for name in names]


async def _configure(admin: Any, topics: Mapping[str, Topic]) -> list[Change]:
    different = await _different(admin, topics)
    if different:
        # The request replaces everything that was set on the topic.
        asked = [
            ConfigResource(ConfigResourceType.TOPIC, n, configs=own | news) for n, own, news in different
        ]
        for answer in await admin.alter_configs(asked):
            _check([(name, code, message) for code, message, _kind, name in answer.resources])
        while await _different(admin, topics):  # noqa: ASYNC110 - there is no event
            await asyncio.sleep(_LOOK_SECONDS)
    return [Change(n, ", ".join(f"{k} = {v}" for k, v in sorted(news.items()))) for n, _, news in different]


async def _different(
    admin: Any, topics: Mapping[str, Topic]
) -> list[tuple[str, dict[str, str], dict[str, str]]]:
    """Topics with other settings than they should have: name, what was set on it, what must be set."""
    if not topics:
        return []
    found = []
    for answer in await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, n) for n in topics]):
        for error_code, message, _kind, name, entries in answer.resources:
            _check([(name, error_code, message)])
            values = {entry[0]: entry[1] for entry in entries}
            own = {entry[0]: entry[1] for entry in entries if entry[3] == _TOPIC_LEVEL}
            news = {k: v for k, v in settings_of(topics[name]).items() if values.get(k) != v}
            if news:
                found.append((name, own, news))
    return found


def _check(errors: Iterable[tuple[Any, ...]]) -> None:
    for name, code, *message in errors:
        if code:
            raise Retry(
                f"Kafka, applying topic {name}: {for_code(code).__name__}: {message[0] if message else ''}"
            )
