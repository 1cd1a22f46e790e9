import json
import logging
from collections.abc import Iterator

import pytest
from pydantic import BaseModel, ValidationError

from libs.telemetry import (
    bind_log_context,
    clear_log_context,
    configure_logging,
    declared,
    get_logger,
    log_context,
    metrics,
    parse_traceparent,
    render_metrics,
    start_trace,
)

SECRET = "my card is 4111 1111"


@pytest.fixture
def _logging() -> Iterator[None]:
    configure_logging()
    yield
    clear_log_context()
    configure_logging("error")


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.usefixtures("_logging")
def test_a_line_is_json_with_its_context(capsys: pytest.CaptureFixture[str]) -> None:
    bind_log_context(request_id="r1")
    with log_context(conversation_id="c1"):
        get_logger("test").info("message_taken", channel="chat", count=2, name="Ană")
    get_logger("test").debug("hidden")
    get_logger("test").warning("later")
    first, second = lines(capsys)
    assert first["event"] == "message_taken"
    assert (first["level"], first["component"], first["name"]) == ("info", "test", "Ană")
    assert (first["request_id"], first["conversation_id"]) == ("r1", "c1")
    assert str(first["timestamp"]).endswith("Z")
    assert "conversation_id" not in second


@pytest.mark.usefixtures("_logging")
@pytest.mark.parametrize("name", ["text", "body", "Payload", "password", "token", "authorization", "comment"])
def test_texts_and_secrets_never_reach_a_line(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    log = get_logger("test")
    log.info("one", **{name: SECRET})
    log.info("two", message={"id": 1, "deep": [{name: SECRET}]})
    log.info("three", very={"a": {"b": {"c": {"d": {name: SECRET}}}}})
    log.info("four", items=({name: SECRET, "id": 4},))
    out = capsys.readouterr().out
    assert SECRET not in out
    assert '"id": 1' in out
    assert '"id": 4' in out


class Strict(BaseModel):
    count: int


@pytest.mark.usefixtures("_logging")
def test_an_exception_shows_its_place_and_not_the_values_in_its_message(
    capsys: pytest.CaptureFixture[str],
) -> None:
    try:
        Strict.model_validate({"count": SECRET})
    except ValidationError as error:
        get_logger("test").error("failed", exc_info=error)
        logging.getLogger("library").exception("failed too")
    shown = lines(capsys)
    assert [line["error"] for line in shown] == ["ValidationError", "ValidationError"]
    assert all("test_telemetry.py" in str(line["trace"]) for line in shown)
    assert SECRET not in str(shown)


@pytest.mark.usefixtures("_logging")
def test_the_standard_library_logs_in_the_same_form(capsys: pytest.CaptureFixture[str]) -> None:
    logging.getLogger("uvicorn.error").warning("port %s is taken", 80)
    logging.getLogger("httpx").info("GET https://x/?q=%s", SECRET)
    [line] = lines(capsys)
    assert (line["event"], line["level"], line["logger"]) == ("port 80 is taken", "warning", "uvicorn.error")


def test_every_metric_is_declared_once_and_shown() -> None:
    names = [one.name for one in declared()]
    assert len(names) == len(set(names))
    shown = render_metrics().decode()
    for one in declared():
        assert one.name.startswith("centralino_")
        assert one.meaning
        assert one.unit
        assert f"# HELP {one.name}" in shown
        assert (one.kind == "counter") == one.name.endswith("_total")
    metrics.stream_lag.labels("triage", "ingest.messages.v1", "3").set(7)
    assert (
        'centralino_stream_lag_events{group="triage",partition="3",topic="ingest.messages.v1"} 7.0'
        in render_metrics().decode()
    )


@pytest.mark.parametrize(
    "header",
    [
        None, "", "00", "00-" + "0" * 32 + "-" + "1" * 16 + "-01", "00-" + "1" * 32 + "-" + "0" * 16 + "-01",
        "ff-" + "1" * 32 + "-" + "1" * 16 + "-01", "00-" + "1" * 32 + "-" + "1" * 16 + "-01-more",
        "00-" + "G" * 32 + "-" + "1" * 16 + "-01", "00-" + "1" * 32 + "-" + "1" * 16 + "-01" + "x" * 500,
    ],
)  # fmt: skip
def test_a_broken_traceparent_is_no_trace(header: str | None) -> None:
    assert parse_traceparent(header) is None


def test_a_trace_goes_on_under_its_id() -> None:
    trace = start_trace()
    read = parse_traceparent(trace.header)
    assert read == trace
    assert read is not None
    assert read.child().trace_id == trace.trace_id
    assert read.child().span_id != trace.span_id
    later = parse_traceparent("01-" + "1" * 32 + "-" + "1" * 16 + "-01-more")
    assert later is not None
    assert later.sampled
