"""JSON lines on standard output, with the request's context and without what customers wrote.

Texts and secrets do not belong in logs. So the names that carry them are dropped whatever their value, at any
depth, and an exception is shown as its type, its place and the first line of its message, cut short: the
database drivers put row values, and the validators put the refused input, on the lines after the first.
"""

import json
import logging
import re
import sys
import traceback
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Final, cast

import structlog
from structlog.typing import FilteringBoundLogger, Processor

DROPPED_KEYS: Final = frozenset(
    {
        "authorization", "body", "comment", "content", "cookie", "headers", "html", "input", "key_material",
        "parameters", "params", "password", "payload", "query", "raw", "secret", "set-cookie", "subject_line",
        "text", "ticket", "token",
    }
)  # fmt: skip
"""Names whose values never reach a log line, compared in lower case."""

# On the first line of a refusal by the database driver or the server comes the value itself.
_VALUE_FOLLOWS: Final = re.compile(
    r"(invalid input for query argument \$\d+|invalid input (?:syntax|value) for [\w ]+)"
)
_DEEPEST: Final = 4
_LONGEST_MESSAGE: Final = 200
_MOST_FRAMES: Final = 12


def configure_logging(level: str = "info", *, json_lines: bool = True) -> None:
    """Set up logging for this process, once, before anything logs; the standard library's loggers included.

    `level` is debug, info, warning or error. `json_lines` False writes a readable form for a terminal.
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    renderer = _to_lines(json_lines)
    shared = _configure_structlog(number, renderer, cached=True)
    handler = _StandardOutputHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared[:2], structlog.stdlib.add_logger_name, *shared[2:]],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(number)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    # These name URLs and SQL at info; both can carry what a customer wrote.
    for name in ("httpx", "httpcore", "sqlalchemy.engine", "uvicorn.access"):
        logging.getLogger(name).setLevel(max(number, logging.WARNING))


def _to_lines(json_lines: bool) -> Processor:
    if json_lines:
        return structlog.processors.JSONRenderer(serializer=_to_json)
    return structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty())


def _configure_structlog(level: int, renderer: Processor, *, cached: bool) -> list[Processor]:
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _describe_exception,
        drop_texts,
    ]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_StandardOutput,
        cache_logger_on_first_use=cached,
    )
    return shared


class _StandardOutput:
    """Where lines go. One that cannot be written is lost: it must not fail the work that it tells of."""

    def __init__(self, *_names: str) -> None:
        pass

    def msg(self, line: str) -> None:
        try:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
        except (OSError, ValueError):
            return

    debug = info = warning = error = critical = msg


class _StandardOutputHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        _StandardOutput().msg(self.format(record))


def get_logger(name: str) -> FilteringBoundLogger:
    """A logger whose lines carry `component=name`. Cheap: make one per module.

    Before `configure_logging` it writes warnings and errors as JSON.
    """
    if not structlog.is_configured():
        _configure_structlog(logging.WARNING, _to_lines(True), cached=False)
    return cast(FilteringBoundLogger, structlog.get_logger(component=name))


def bind_log_context(**values: str | int) -> None:
    """Add values (request_id, conversation_id, group, ...) to every later line of this task."""
    structlog.contextvars.bind_contextvars(**values)


def clear_log_context() -> None:
    """Forget what this task has bound."""
    structlog.contextvars.clear_contextvars()


@contextmanager
def log_context(**values: str | int) -> Iterator[None]:
    """Values on every line inside the `with` block, and the former ones after it."""
    with structlog.contextvars.bound_contextvars(**values):
        yield


def drop_texts(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The structlog processor that takes the values of DROPPED_KEYS out, at any depth."""
    for key in list(line):
        value = line[key]
        if key.lower() in DROPPED_KEYS:
            del line[key]
        elif isinstance(value, Mapping | list | tuple):
            line[key] = _without_texts(value, _DEEPEST)
    return line


def _without_texts(value: Any, depth: int) -> Any:
    if depth == 0 and isinstance(value, Mapping | list | tuple):
        return "..."
    if isinstance(value, Mapping):
        return {
            key: _without_texts(inner, depth - 1)
            for key, inner in value.items()
            if str(key).lower() not in DROPPED_KEYS
        }
    if isinstance(value, list | tuple):
        return [_without_texts(inner, depth - 1) for inner in value]
    return value


def _describe_exception(
    _logger: Any, _method: str, line: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    info = line.pop("exc_info", None)
    if not info:
        return line
    if isinstance(info, BaseException):
        error: BaseException | None = info
    elif isinstance(info, tuple):
        error = info[1]
    else:
        error = sys.exc_info()[1]
    if error is not None:
        line["error"] = type(error).__name__
        line["reason"] = first_line(error)
        line["trace"] = _frames(error.__traceback__)
        if error.__cause__ is not None:
            line["cause"] = f"{type(error.__cause__).__name__}: {first_line(error.__cause__)}"
    return line


def first_line(error: BaseException) -> str:
    """The part of an exception's message that is fit for a log."""
    line = next(iter(str(error).splitlines()), "")
    known = _VALUE_FOLLOWS.search(line)
    return line[: known.end() if known else _LONGEST_MESSAGE]


def _frames(trace: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(trace)[-_MOST_FRAMES:]
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]


def _to_json(line: Any, **options: Any) -> str:
    return json.dumps(line, **{**options, "default": str, "ensure_ascii": False})
