"""What customers do on the page, and what link scanners do."""

import asyncio
import base64
import re
from collections.abc import AsyncIterator

import httpx
import pytest

from libs.primitives import new_id
from libs.storage import fetch_all
from services.survey.service import definition
from services.survey.settings import SurveySettings
from tests.service.survey.steps import DAY, invited, resolved, run
from tests.support.harness import ServiceUnderTest, running

BROWSER = {"Accept": "text/html,application/xhtml+xml"}
LANGUAGES = ("en", "it", "ro", "ar", "fr", "pt", "es", "de")


@pytest.fixture
async def visitor(uncapped: ServiceUnderTest) -> AsyncIterator[httpx.AsyncClient]:
    async with uncapped.client(None) as client:
        yield client


@pytest.fixture(scope="module")
async def shared() -> AsyncIterator[ServiceUnderTest]:
    """One service for tests that have an invitation each and leave no answer behind."""
    async with running(definition, SurveySettings(delay_seconds=0, cap_days=0)) as service:
        yield service


@pytest.fixture
async def stranger(shared: ServiceUnderTest) -> AsyncIterator[httpx.AsyncClient]:
    async with shared.client(None) as client:
        yield client


async def test_an_answer_is_kept_and_told_to_the_others(
    uncapped: ServiceUnderTest, visitor: httpx.AsyncClient
) -> None:
    page = await invited(uncapped, language="it")
    answer = await visitor.post(
        page, data={"score": "4", "comment": " Bene,\r\ngrazie ", "lang": "it"}, headers=BROWSER
    )
    assert answer.status_code == 200
    assert "Grazie, abbiamo ricevuto la tua risposta." in answer.text
    [event] = await uncapped.events("SurveyAnswered")
    assert (event.score, event.scale_max, event.comment) == (4, 5, "Bene,\ngrazie")
    assert (event.revision, event.language, event.conversation_id, event.episode) == (1, "it", "c1", 1)
    assert event.answered_at_ms == uncapped.clock.now_ms()


async def test_the_same_answer_again_is_the_same_revision_and_another_one_the_next(
    uncapped: ServiceUnderTest, visitor: httpx.AsyncClient
) -> None:
    page = await invited(uncapped)
    revisions = []
    for score, comment in [(2, "slow"), (2, "slow"), (5, "slow"), (5, ""), (5, "")]:
        answer = await visitor.post(page, json={"score": score, "comment": comment})
        assert answer.status_code == 200
        revisions.append(answer.json()["revision"])
    assert revisions == [1, 1, 2, 3, 3]
    assert [(e.revision, e.score) for e in await uncapped.events("SurveyAnswered")] == [
        (1, 2),
        (2, 5),
        (3, 5),
    ]
    async with uncapped.client("supervisor") as client:
        [one] = (await client.get("/v1/invitations", params={"state": "answered"})).json()["items"]
        detail = (await client.get(f"/v1/invitations/{one['id']}")).json()
    assert (one["score"], one["comment"], one["revision"]) == (5, "", 3)
    assert [(a["revision"], a["score"], a["comment"]) for a in detail["answers"]] == [
        (1, 2, "slow"),
        (2, 5, "slow"),
        (3, 5, ""),
    ]


async def test_a_link_scanner_that_opens_the_page_a_hundred_times_records_nothing(
    uncapped: ServiceUnderTest, visitor: httpx.AsyncClient
) -> None:
    page = await invited(uncapped)
    for n in range(100):
        answer = await (visitor.get if n % 3 else visitor.head)(page, params={"score": str(n % 6)})
        assert answer.status_code == 200
    await run(uncapped)
    assert await uncapped.events("SurveyAnswered") == []
    async with uncapped.client() as client:
        [one] = (await client.get("/v1/invitations")).json()["items"]
    assert (one["state"], one["score"], one["revision"]) == ("requested", None, 0)


async def test_the_score_in_the_link_is_only_preselected(
    uncapped: ServiceUnderTest, visitor: httpx.AsyncClient
) -> None:
    page = await invited(uncapped)
    shown = (await visitor.get(page, params={"score": "4"})).text
    assert re.findall(r'value="(\d)" required checked', shown) == ["4"]
    for nonsense in ("9", "0", "-1", "4.0", "<script>", "٤", ""):
        answer = await visitor.get(page, params={"score": nonsense})
        assert answer.status_code == 200
        assert " checked" not in answer.text


async def test_unknown_forged_expired_cancelled_and_planned_links_get_the_same_page() -> None:
    async with running(definition, SurveySettings(delay_seconds=0)) as service:
        expired = await invited(service)
        service.clock.advance(45 * DAY)
        await run(service)
        keys = re.fullmatch(r"/v1/s/(\w+)-(.{64})", expired)
        assert keys is not None
        key_id, blob = keys.groups()
        other = "A" if blob[-2] != "A" else "B"
        paths = [
            expired,
            f"/v1/s/{key_id}-{blob[:-2]}{other}{blob[-1]}",
            f"/v1/s/nokey-{blob}",
            f"/v1/s/{key_id}-{'A' * 64}",
            "/v1/s/x",
            "/v1/s/" + "x" * 250,
            "/v1/s/%F0%9F%99%82",
        ]
        async with service.client(None) as client:
            pages = [
                await client.get(path, headers={**BROWSER, "Accept-Language": "de-CH, en;q=0.5"})
                for path in paths
            ]
            posts = [await client.post(path, data={"score": "5"}, headers=BROWSER) for path in paths]
            readers = [await client.get(path) for path in paths]
            programs = [await client.post(path, json={"score": 5}) for path in paths]
        assert {page.status_code for page in (*pages, *posts, *programs, *readers)} == {404}
        assert len({page.text for page in pages}) == 1
        assert len({page.text for page in posts}) == 1
        assert "Diese Umfrage ist nicht offen" in pages[0].text
        assert {page.json()["type"] for page in (*programs, *readers)} == {"urn:centralino:problem:no-survey"}
        assert await service.events("SurveyAnswered") == []


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_page_speaks_the_language_and_asks_nobody_else(
    shared: ServiceUnderTest, stranger: httpx.AsyncClient, language: str
) -> None:
    page = await invited(shared, f"c-{language}", language=language)
    answer = await stranger.get(page)
    direction = "rtl" if language == "ar" else "ltr"
    assert f'<html lang="{language}" dir="{direction}">' in answer.text
    assert not re.search(r"(?:src|href|action)=\"(?:https?:)?//", answer.text)
    assert "<script" not in answer.text
    assert "style=" not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'")
    assert answer.headers["content-language"] == language
    style = await stranger.get("/v1/page.css")
    assert style.headers["content-type"].startswith("text/css")
    assert not re.search(r"url\(|@import|(?<![a-z-])(?:left|right|width|height)\s*:", style.text)


async def test_the_page_can_be_read_in_another_language(
    uncapped: ServiceUnderTest, visitor: httpx.AsyncClient
) -> None:
    page = await invited(uncapped)
    assert '<html lang="ar" dir="rtl">' in (await visitor.get(page, params={"lang": "ar"})).text
    assert '<html lang="en" dir="ltr">' in (await visitor.get(page, params={"lang": "xx"})).text


async def test_a_form_without_a_score_or_with_a_long_comment_says_so_and_keeps_what_was_typed(
    uncapped: ServiceUnderTest, visitor: httpx.AsyncClient
) -> None:
    page = await invited(uncapped)
    missing = await visitor.post(page, data={"comment": "<b>kept</b>"}, headers=BROWSER)
    assert missing.status_code == 422
    assert "Please choose one of the five answers." in missing.text
    assert "&lt;b&gt;kept&lt;/b&gt;" in missing.text
    long = await visitor.post(page, data={"score": "3", "comment": "x" * 2001}, headers=BROWSER)
    assert long.status_code == 422
    assert "2,000 characters" in long.text
    lines = await visitor.post(page, data={"score": "3", "comment": "x\r\n" * 999 + "xx"}, headers=BROWSER)
    assert lines.status_code == 200
    assert [e.score for e in await uncapped.events("SurveyAnswered")] == [3]


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b'{"score": 6}', "application/json", 422),
        (b'{"score": 0}', "application/json", 422),
        (b'{"score": "5"}', "application/json", 422),
        (b'{"score": true}', "application/json", 422),
        (b'{"score": 4.5}', "application/json", 422),
        (b'{"comment": "x"}', "application/json", 422),
        (b'{"score": 5, "x": 1}', "application/json", 422),
        (b"[]", "application/json", 422),
        (b"{", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b'{"score": 5, "comment": "\\u0000"}', "application/json", 422),
        (b'{"score": 5, "comment": "\\ud800"}', "application/json", 422),
        (b'{"score": 5, "comment": "' + b"x" * 2001 + b'"}', "application/json", 422),
        (b'{"score": 5, "comment": "' + b"x" * 70_000 + b'"}', "application/json", 413),
        (b"score=5&comment=%00", "application/x-www-form-urlencoded", 422),
        (b"score=", "application/x-www-form-urlencoded", 422),
        (b"score=5", "text/plain", 415),
        (b"--x--", "multipart/form-data; boundary=x", 415),
        (b"", "application/json", 400),
    ],
)
async def test_a_bad_answer_is_refused_and_not_kept(
    shared: ServiceUnderTest, stranger: httpx.AsyncClient, body: bytes, content_type: str, status: int
) -> None:
    page = await invited(shared, new_id())
    headers = {"Content-Type": content_type, "Accept": "application/json"}
    answer = await stranger.post(page, content=body, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert await shared.events("SurveyAnswered") == []


async def test_right_to_left_marks_and_emoji_are_kept_as_they_are(
    uncapped: ServiceUnderTest, visitor: httpx.AsyncClient
) -> None:
    page = await invited(uncapped, language="ar")
    comment = "\u200fشكرًا\u200e 🙂 e\u0301"
    await visitor.post(page, json={"score": 5, "comment": comment})
    [event] = await uncapped.events("SurveyAnswered")
    assert event.comment == comment
    assert comment in (await visitor.get(page)).text


async def test_a_link_that_is_used_too_often_has_to_wait() -> None:
    async with running(definition, SurveySettings(delay_seconds=0, posts_per_minute=3)) as service:
        page = await invited(service)
        await service.publish(resolved("c2", customer="p2"))
        await run(service)
        async with service.client(None) as client:
            statuses = [(await client.post(page, json={"score": 1 + n % 2})).status_code for n in range(5)]
            assert statuses == [200, 200, 200, 429, 429]
            busy = await client.post(page, data={"score": "5"}, headers=BROWSER)
            assert (busy.status_code, busy.headers["retry-after"]) == (429, "60")
            assert (await client.get(page)).status_code == 200
            service.clock.advance(20_000)
            assert (await client.post(page, json={"score": 5})).status_code == 200


async def test_many_answers_at_once_have_revisions_without_gap(uncapped: ServiceUnderTest) -> None:
    page = await invited(uncapped)
    async with uncapped.client(None) as client:
        await asyncio.gather(*(client.post(page, json={"score": 1 + n % 5}) for n in range(20)))
    revisions = [e.revision for e in await uncapped.events("SurveyAnswered")]
    assert revisions == list(range(1, len(revisions) + 1))


async def test_an_answer_in_time_keeps_the_survey_from_expiring(
    uncapped: ServiceUnderTest, visitor: httpx.AsyncClient
) -> None:
    page = await invited(uncapped)
    await visitor.post(page, json={"score": 3})
    uncapped.clock.advance(15 * DAY)
    await run(uncapped)
    assert await uncapped.events("SurveyExpired") == []
    assert (await visitor.post(page, json={"score": 4})).status_code == 404


async def test_the_token_is_stored_nowhere_and_names_nobody(
    uncapped: ServiceUnderTest, visitor: httpx.AsyncClient
) -> None:
    page = await invited(uncapped, customer="maria@alpha.example")
    await visitor.post(page, json={"score": 5})
    token = page.removeprefix("/v1/s/")
    async with uncapped.database.read() as connection:
        tables = await fetch_all(
            connection, "SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('survey', 'log')"
        )
        rows = [
            str(row)
            for schema, table in tables
            for row in await fetch_all(connection, f'SELECT t::text FROM {schema}."{table}" t')
        ]
    assert any("maria@alpha.example" in row for row in rows), "the search finds what is there"
    secret = base64.urlsafe_b64decode(token.partition("-")[2])[16:]
    for shape in (token, token.partition("-")[2], secret.hex()):
        assert not any(shape in row for row in rows)
    assert b"maria" not in base64.urlsafe_b64decode(token.partition("-")[2])
