"""What every classifier does, and what the one in processes survives."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.triage.adapters.in_process import InProcessClassifier
from services.triage.adapters.knowledge import Sources
from services.triage.adapters.worker_pool import WorkerPool
from services.triage.domain.classification import Query
from services.triage.domain.overlay import Lesson
from services.triage.domain.signals import Signals
from services.triage.ports import Classifier, ClassifierUnavailable, Unclassifiable

POISONED = "tests.conformance.poison_worker"
HOSTILE = [
    "",
    " \n\t",
    "\x00\x00\x00",
    "a\ud800b \udfff",
    "\u202eevil\u202c \u200f\u200e",
    "🙂" * 300,
    "12345 67 -- ???",
    "x" * 65_536,
    "ﷺ" * 20_000,
    "a\u0301" * 30_000,
    "where is my parcel " * 4_000,
    "<script>alert(1)</script> '; DROP TABLE conversations; --",
    "\U0010ffff\ufffe\ufdd0",
    "नमस्ते दुनिया",
]


def _make(kind: str) -> Classifier:
    sources = Sources.default()
    return InProcessClassifier(sources) if kind == "in process" else WorkerPool(sources, 2)


@pytest.fixture(scope="module", params=["in process", "processes"])
async def classifier(request: pytest.FixtureRequest) -> AsyncIterator[Classifier]:
    """One for all tests that only ask."""
    made = _make(request.param)
    await made.start()
    yield made
    await made.close()


@pytest.fixture
async def fragile() -> AsyncIterator[WorkerPool]:
    pool = WorkerPool(Sources.default(), 2, POISONED)
    await pool.start()
    yield pool
    await pool.close()


async def test_results_come_in_the_order_of_the_queries(classifier: Classifier) -> None:
    texts = ["where is my parcel, it is late", "ho dimenticato la password", "لم يصل الطرد"] * 60
    results = await classifier.classify([Query(text) for text in texts])
    languages = [result.language.value for result in results if isinstance(result, Signals)]
    assert languages == ["en", "it", "ar"] * 60


async def test_nothing_gives_nothing(classifier: Classifier) -> None:
    assert list(await classifier.classify([])) == []


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
async def test_any_text_is_classified(classifier: Classifier, text: str) -> None:
    (result,) = await classifier.classify([Query(text)])
    assert isinstance(result, Signals)
    assert 0.0 <= result.topic.confidence <= 1.0
    for reason in result.reasons:
        reason.detail.encode("utf-8")
        assert "\x00" not in reason.detail


async def test_calls_at_the_same_time_get_their_own_results(classifier: Classifier) -> None:
    texts = ["where is my parcel", "mi contraseña no funciona", "meine Rechnung fehlt"]
    answers = await asyncio.gather(*(classifier.classify([Query(text)] * 5) for text in texts))
    assert [{r.language.value for r in a if isinstance(r, Signals)} for a in answers] == [
        {"en"},
        {"es"},
        {"de"},
    ]


async def test_both_classifiers_say_the_same() -> None:
    queries = [Query("I was charged twice, order 123"), Query("nu pot intra in cont", "ro"), Query("?!")]
    answers = []
    for kind in ("in process", "processes"):
        made = _make(kind)
        await made.start()
        answers.append(list(await made.classify(queries)))
        await made.close()

    def told(found: list[Any]) -> list[tuple[str, ...]]:
        return [(s.language.value, s.topic.value, s.kind.value, s.urgency.value, s.mood.value) for s in found]

    # Another number of threads adds the same numbers in another order.
    def sure(found: list[Any]) -> list[float]:
        return [one for s in found for one in (s.topic.confidence, s.urgency.confidence, s.wish_for_person)]

    assert told(answers[0]) == told(answers[1])
    assert sure(answers[0]) == pytest.approx(sure(answers[1]), abs=1e-4)


@pytest.mark.parametrize("kind", ["in process", "processes"])
async def test_a_classifier_that_does_not_run_says_so(kind: str) -> None:
    made = _make(kind)
    with pytest.raises(ClassifierUnavailable):
        await made.classify([Query("hello")])
    await made.start()
    await made.close()
    await made.close()
    with pytest.raises(ClassifierUnavailable):
        await made.classify([Query("hello")])


@pytest.mark.parametrize("kind", ["in process", "processes"])
async def test_a_missing_model_is_told_at_the_start(kind: str, tmp_path: Path) -> None:
    sources = Sources(Sources.default().taxonomy, model=tmp_path)
    made = InProcessClassifier(sources) if kind == "in process" else WorkerPool(sources, 1)
    with pytest.raises(ClassifierUnavailable, match="make models"):
        await made.start()


async def test_a_killed_process_is_replaced_and_nothing_is_missing(fragile: WorkerPool) -> None:
    before = set(fragile.process_ids)
    queries = [Query(f"where is my parcel {number}") for number in range(3_000)]
    running = asyncio.create_task(fragile.classify(queries))
    await asyncio.sleep(0.2)
    victim = fragile.process_ids[0]
    os.kill(victim, signal.SIGKILL)
    results = await running
    assert len(results) == 3_000
    assert all(isinstance(result, Signals) for result in results)
    async with asyncio.timeout(30):
        while len(fragile.process_ids) < 2:
            await asyncio.sleep(0.02)
    assert victim in before
    assert victim not in fragile.process_ids


async def test_a_batch_whose_process_died_is_done_again(fragile: WorkerPool, tmp_path: Path) -> None:
    results = await fragile.classify(
        [Query("hello there"), Query(f"ONCE {tmp_path / 'mark'}"), Query("hola")]
    )
    assert [type(result) for result in results] == [Signals] * 3


async def test_a_text_that_kills_twice_is_told_and_the_others_are_classified(fragile: WorkerPool) -> None:
    texts = ["where is my parcel", "POISON", "dove il mio pacco", "POISON again", "wo ist mein Paket"] * 3
    results = await fragile.classify([Query(text) for text in texts])
    assert [isinstance(result, Unclassifiable) for result in results] == ["POISON" in text for text in texts]
    later = await fragile.classify([Query("ciao, dove il mio pacco?")])
    assert isinstance(later[0], Signals)


_LESSON = Lesson(1, "c7/m1", "do you sell gift wrapping for the blue bicycle", "en", "complaint")


@pytest.mark.parametrize("kind", ["in process", "processes"])
async def test_a_correction_counts_in_every_process_and_says_so(kind: str) -> None:
    sources = replace(Sources.default(), encoder=False)
    made = InProcessClassifier(sources) if kind == "in process" else WorkerPool(sources, 2)
    with pytest.raises(ClassifierUnavailable):
        await made.teach([_LESSON])
    await made.start()
    try:
        text = "Do you sell gift wrapping for the BLUE bicycle?"
        (before,) = await made.classify([Query(text)])
        await made.teach([_LESSON, _LESSON])
        found = await made.classify([Query(text)] * 150)
        assert isinstance(before, Signals)
        assert before.topic.value != "complaint"
        topics = {(one.topic.value, one.reasons[0].source) for one in found if isinstance(one, Signals)}
        assert topics == {("complaint", "correction")}
        await made.renew()
        (after,) = await made.classify([Query(text)])
        assert isinstance(after, Signals)
        assert after.topic.value == "complaint"
        await made.teach([replace(_LESSON, number=2, topic="")])
        assert list(await made.classify([Query(text)])) == [before]
    finally:
        await made.close()


async def test_a_correction_that_kills_is_dropped_and_the_others_count() -> None:
    fragile = WorkerPool(replace(Sources.default(), encoder=False), 2, POISONED)
    await fragile.start()
    bad = [Lesson(n, f"c{n}/m", f"POISON {n}", "en", "order") for n in (2, 4)]
    await fragile.teach([*bad, _LESSON])
    (found,) = await fragile.classify([Query(_LESSON.text)])
    assert isinstance(found, Signals)
    assert found.topic.value == "complaint"
    os.kill(fragile.process_ids[0], signal.SIGKILL)
    again = await fragile.classify([Query(_LESSON.text)] * 130)
    await fragile.close()
    assert {one.topic.value for one in again if isinstance(one, Signals)} == {"complaint"}


async def test_closing_ends_the_processes_and_the_calls_under_way() -> None:
    pool = WorkerPool(Sources.default(), 2)
    await pool.start()
    ids = pool.process_ids
    assert len(ids) == 2
    running = asyncio.create_task(pool.classify([Query("where is my parcel " * 300)] * 2_000))
    await asyncio.sleep(0.05)
    async with asyncio.timeout(4):
        await pool.close()
    with pytest.raises(ClassifierUnavailable):
        await running
    for process_id in ids:
        with pytest.raises(ProcessLookupError):
            os.kill(process_id, 0)


async def test_a_process_ends_when_its_host_is_gone() -> None:
    """A host that is killed closes nothing; the end of the pipe must be enough."""
    pool = WorkerPool(Sources.default(), 1)
    await pool.start()
    (process,) = pool._processes.values()
    assert process.stdin is not None
    process.stdin.close()
    async with asyncio.timeout(5):
        assert await process.wait() == 0
    await pool.close()
