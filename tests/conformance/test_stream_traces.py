"""Traces through the log, over both transports: each message in its own, failures marked, timers in that of who set them."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager

import pytest
from google.protobuf.message import Message
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from libs.contracts import ConversationTriaged, Envelope, unpack
from libs.streams import Due
from libs.telemetry.otel import OtelRecorder
from libs.telemetry.tracing import recorded_by, recorder, span
from tests.support.kafka import need_kafka
from tests.support.rig import Behaviour, Context, Rig, counting_router, kafka_rig, message, postgres_rig

KEYS = [f"conversation-{n}" for n in range(1, 9)]


@pytest.fixture(params=[postgres_rig, kafka_rig], ids=["postgres", "kafka"])
async def rig(request: pytest.FixtureRequest, in_ci: bool) -> AsyncIterator[Rig]:
    if request.param is kafka_rig:
        need_kafka(in_ci)
    async with request.param() as made:
        yield made


@contextmanager
def recording() -> Iterator[list[ReadableSpan]]:
    """The spans of this process, there once this has ended."""
    exporter = InMemorySpanExporter()
    made = OtelRecorder(exporter, "1")
    spans: list[ReadableSpan] = []
    try:
        with recorded_by(made):
            yield spans
    finally:
        made.close()
        spans.extend(exporter.get_finished_spans())


def trace_of(key: str) -> str:
    return f"{int(key.rpartition('-')[2]):032x}"


def parent_of(key: str) -> str:
    return f"00-{trace_of(key)}-{'a' * 16}-01"


async def publish_traced(rig: Rig, *keys: str, text: str = "hello") -> None:
    """All in one transaction, each in a trace of its own."""
    async with rig.database.begin() as uow:
        for key in keys:
            uow.traceparent = parent_of(key)
            uow.emit(message(key, 1, text))
        await uow.commit()


async def emitted(rig: Rig) -> dict[str, Envelope]:
    """What the handlers emitted, by key."""
    rows = await rig.run_sql("SELECT data FROM log.events")
    found = [unpack(row[0]) for row in rows if isinstance(row[0], bytes)]
    return {one.key: one for one in found if one.type == ConversationTriaged.DESCRIPTOR.full_name}


async def test_what_a_batch_emits_goes_on_in_the_trace_of_each_message(rig: Rig) -> None:
    with recording() as spans:
        await publish_traced(rig, *KEYS)
        await rig.drain(rig.member(counting_router("g", Behaviour())))
        out = await emitted(rig)
    handled = {f"{s.context.trace_id:032x}": s for s in spans if s.name == "g MessageReceived"}
    assert handled.keys() == {trace_of(key) for key in KEYS}
    for key in KEYS:
        own = handled[trace_of(key)]
        assert out[key].traceparent == f"00-{trace_of(key)}-{own.context.span_id:016x}-01"
        assert own.attributes is not None
        assert own.attributes["centralino.key"] == key
        assert own.status.is_ok or own.status.is_unset
    parents = {s.context.span_id: s for s in spans}
    over = {
        parents[s.parent.span_id].name for s in handled.values() if s.parent and s.parent.span_id in parents
    }
    assert over <= {"send ingest.messages.v1"}


async def test_without_a_recorder_a_trace_is_carried_as_it_came(rig: Rig) -> None:
    assert recorder() is None
    await publish_traced(rig, *KEYS)
    await rig.publish(message("conversation-99", 1))
    await rig.drain(rig.member(counting_router("g", Behaviour())))
    out = await emitted(rig)
    assert {key: out[key].traceparent for key in KEYS} == {key: parent_of(key) for key in KEYS}
    assert out["conversation-99"].traceparent == ""


async def test_a_message_that_dies_is_a_failed_span_and_those_beside_it_end_well(rig: Rig) -> None:
    with recording() as spans:
        await publish_traced(rig, *KEYS[1:])
        await publish_traced(rig, KEYS[0], text="poison")
        await rig.drain(rig.member(counting_router("g", Behaviour(reject={"poison"}))))
    ends = {
        key: [
            s.status.is_ok or s.status.is_unset
            for s in spans
            if f"{s.context.trace_id:032x}" == trace_of(key)
        ][-1]
        for key in KEYS
    }
    assert ends == {key: key != KEYS[0] for key in KEYS}
    errors = {s.attributes["error.type"] for s in spans if s.attributes and "error.type" in s.attributes}
    assert errors == {"Reject"}


async def test_a_timer_goes_on_in_the_trace_of_the_work_that_set_it_unless_it_serves_all(rig: Rig) -> None:
    seen: dict[str, str] = {}
    router = counting_router("g", Behaviour())

    @router.timer("rig.all", traced=False)
    async def all_of_them(due: Due, ctx: Context) -> Sequence[Message]:
        seen[due.kind] = ctx.uow.traceparent
        return []

    @router.timer("rig.one")
    async def one_of_them(due: Due, ctx: Context) -> Sequence[Message]:
        seen[due.kind] = ctx.uow.traceparent
        return []

    with recording() as spans:
        async with rig.database.begin() as uow:
            uow.traceparent = parent_of(KEYS[0])
            for kind in ("rig.all", "rig.one"):
                uow.set_timer(kind, KEYS[0], 1)
            await uow.commit()
        member = rig.member(router)
        await rig.share(member)
        await rig.drain(member)
    (own,) = [s for s in spans if s.name == "g rig.one"]
    assert seen == {"rig.all": "", "rig.one": f"00-{trace_of(KEYS[0])}-{own.context.span_id:016x}-01"}
    assert [s for s in spans if s.name == "g rig.all"] == []


def test_work_without_a_trace_is_not_recorded_and_what_fails_says_so() -> None:
    with recording() as spans:
        with span("ingest", "deliver", "", attributes={}):
            pass
        with pytest.raises(RuntimeError), span("ingest", "deliver", parent_of(KEYS[0]), attributes={}):
            raise RuntimeError("away")
    (only,) = spans
    assert only.attributes is not None
    assert only.attributes["error.type"] == "RuntimeError"
    assert not only.status.is_ok
