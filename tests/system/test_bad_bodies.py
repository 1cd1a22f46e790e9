"""Every operation that reads JSON is given every kind of bad body, on a real host.

The operations come from the published document, so a new one is tried as soon as it is there. Each refusal has its
stated status and says in a problem document what was seen or expected; none is a 500.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.system.desk import Desk, problem, refused
from tests.system.writing import ALL, JSON, MARKS, Operation, Pointer, changed, each

READING_JSON = [one for one in ALL if one.schema is not None]
MEGABYTE = 2**20
AS_JSON = {"Content-Type": JSON}


def send(
    shared: Desk, operation: Operation, content: bytes | Iterator[bytes], **headers: str
) -> httpx.Response:
    role = "admin" if operation.takes_token else None
    return shared.ask(operation.method, operation.path(), role, content=content, headers=AS_JSON | headers)


def at_(pointer: Pointer) -> str:
    return "#/" + "/".join(map(str, pointer))


def dumped(body: Any) -> bytes:
    return json.dumps(body).encode()


def is_text(value: Any, schema: dict[str, Any]) -> bool:
    return isinstance(value, str) and "enum" not in schema


def is_number(value: Any, _schema: dict[str, Any]) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


WRONG: dict[type, tuple[Any, ...]] = {
    str: (7, True, [], {}),
    int: ("1", True, 1.5, [], None),
    float: ("a", [], {}),
    bool: ("true", 1, []),
    list: ("a", {}, 7),
    dict: ([], "a", 7),
}


@each(READING_JSON)
def test_a_field_of_the_wrong_type_is_named(shared: Desk, operation: Operation) -> None:
    full = operation.full()
    may_be_null = operation.leaves(lambda _value, schema: "nullable" in schema)
    for pointer in operation.leaves(lambda _value, schema: "alternatives" not in schema):
        value = full
        for step in pointer:
            value = value[step]
        for wrong in WRONG[type(value)]:
            if wrong is None and pointer in may_be_null:
                continue
            answer = send(shared, operation, dumped(changed(full, pointer, wrong)))
            found = problem(answer, (422,))
            assert any(one["pointer"].startswith(at_(pointer).rstrip("/")) for one in found["errors"]), (
                f"{at_(pointer)} = {wrong!r}: {found['errors']}"
            )


@each(READING_JSON)
def test_a_field_that_nobody_knows_is_named(shared: Desk, operation: Operation) -> None:
    objects = operation.leaves(lambda value, schema: isinstance(value, dict) and "properties" in schema)
    for pointer in objects:
        odd = changed(operation.full(), (*pointer, "colour"), "red")
        found = problem(send(shared, operation, dumped(odd)), (422,))
        assert at_((*pointer, "colour")) in [one["pointer"] for one in found["errors"]]


@each(READING_JSON)
def test_a_text_that_must_not_be_empty_is_named(shared: Desk, operation: Operation) -> None:
    for pointer in operation.leaves(lambda value, schema: is_text(value, schema) and "minLength" in schema):
        found = problem(send(shared, operation, dumped(changed(operation.full(), pointer, ""))), (422,), "#/")
        assert at_(pointer) in [one["pointer"] for one in found["errors"]]


@each(READING_JSON)
@pytest.mark.parametrize("bad", ["a\0b", "\ud800", "a\udfffb", "\udc00\ud800"])
def test_a_text_that_no_database_can_store_is_refused(shared: Desk, operation: Operation, bad: str) -> None:
    for pointer in operation.leaves(is_text):
        answer = send(shared, operation, dumped(changed(operation.full(), pointer, bad)))
        found = refused(answer, 422, "unstorable-text", "NUL or half of a surrogate pair")
        assert [one["pointer"] for one in found["errors"]] == [at_(pointer)]
    named = {**operation.full(), bad: 1}
    refused(send(shared, operation, dumped(named)), 422, "unstorable-text", "A name holds NUL")


@each(READING_JSON)
def test_marks_of_direction_and_joined_signs_break_nothing(shared: Desk, operation: Operation) -> None:
    sample = operation.sample()
    for pointer in operation.leaves(is_text):
        try:
            body = changed(sample, pointer, MARKS)
        except (KeyError, IndexError):
            continue
        answer = send(shared, operation, dumped(body))
        if answer.status_code >= 400:
            problem(answer, (400, 401, 403, 404, 409, 412, 413, 422, 428, 429))


@each(READING_JSON)
def test_a_text_of_a_megabyte_is_too_much(shared: Desk, operation: Operation) -> None:
    for pointer in operation.leaves(is_text)[:3]:
        answer = send(shared, operation, dumped(changed(operation.full(), pointer, "a" * MEGABYTE)))
        problem(answer, (413, 422))


@each(READING_JSON)
def test_a_number_that_is_none_or_has_no_end_is_refused(shared: Desk, operation: Operation) -> None:
    for pointer in operation.leaves(is_number):
        body = dumped(changed(operation.full(), pointer, "@"))
        for number in (b"NaN", b"-Infinity", b"1e999"):
            refused(send(shared, operation, body.replace(b'"@"', number)), 422, "number-not-finite", "finite")
        for number in (b"1180591620717411303424", b"-1180591620717411303424", b"1e99"):
            problem(send(shared, operation, body.replace(b'"@"', number)), (422,))


@each(READING_JSON)
@pytest.mark.parametrize(
    ("make", "statuses", "said"),
    [
        pytest.param(lambda b: b[:-1] + b',"x":"\xc3\x28"}', (400,), "not UTF-8", id="invalid UTF-8"),
        pytest.param(lambda b: b.decode().encode("utf-16"), (400,), "not UTF-8", id="UTF-16"),
        pytest.param(lambda b: b[:-1] + b',"x":"a\0b"}', (400,), "NUL", id="raw NUL"),
        pytest.param(lambda b: b[:-1] + b',"x":', (400,), "not JSON", id="cut off"),
        pytest.param(lambda _: b"{'a': 1}", (400,), "not JSON", id="no JSON"),
        pytest.param(lambda _: b"[" * 20_000, (400,), "not JSON", id="deep lists"),
        pytest.param(lambda _: b'{"a":' * 12_000, (400,), "not JSON", id="deep objects"),
        pytest.param(lambda _: b"[]", (422,), "#", id="a list"),
        pytest.param(lambda _: b'"text"', (422,), "#", id="a text"),
        pytest.param(lambda _: b"7", (422,), "#", id="a number"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(
    shared: Desk,
    operation: Operation,
    make: Callable[[bytes], bytes],
    statuses: tuple[int, ...],
    said: str,
) -> None:
    problem(send(shared, operation, make(dumped(operation.full()))), statuses, said)


@each([one for one in READING_JSON if one.needs_body])
@pytest.mark.parametrize("body", [b"", b" ", b"null"])
def test_a_body_that_is_needed_is_asked_for(shared: Desk, operation: Operation, body: bytes) -> None:
    problem(send(shared, operation, body), (400, 422))


@each(READING_JSON)
@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/xml"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": ""},
        {"Content-Type": "\u202ejson".encode().decode("latin-1")},
        {"Content-Encoding": "gzip"},
    ],
    ids=lambda headers: "=".join(next(iter(headers.items()))).encode("ascii", "replace").decode(),
)
def test_another_kind_of_body_is_refused(shared: Desk, operation: Operation, headers: dict[str, str]) -> None:
    coded = {name: value.encode("latin-1") for name, value in headers.items()}
    answer = send(shared, operation, dumped(operation.sample()), **coded)  # type: ignore[arg-type]  # any bytes
    refused(answer, 415, "unsupported-media-type", "Content-")


@each(READING_JSON)
def test_a_body_over_the_limit_is_refused_however_it_comes(shared: Desk, operation: Operation) -> None:
    def pieces() -> Iterator[bytes]:
        yield b'{"text":"'
        for _ in range(20):
            yield b"a" * MEGABYTE

    for content in (b"".join(pieces()), pieces()):
        try:
            answer = send(shared, operation, content)
        except (httpx.WriteError, httpx.RemoteProtocolError):
            continue  # the host may hang up on who goes on sending
        found = refused(answer, 413, "too-large", "bytes are taken")
        assert str(found["limit_bytes"]) in found["detail"]
