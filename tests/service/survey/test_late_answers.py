"""An answer after the window is kept and seen by staff, and nobody is told: every figure stays as it was."""

import httpx
import pytest

from services.survey.service import definition
from services.survey.settings import SurveySettings
from tests.service.survey.steps import DAY, invited, run
from tests.support.harness import ServiceUnderTest, running

BROWSER = {"Accept": "text/html,application/xhtml+xml"}


async def _ended(service: ServiceUnderTest) -> str:
    """The page of an invitation whose window has ended without an answer."""
    page = await invited(service)
    service.clock.advance(15 * DAY)
    await run(service)
    assert len(await service.events("SurveyExpired")) == 1
    return page


async def _shown(service: ServiceUnderTest, **wanted: str) -> list[dict[str, object]]:
    async with service.client("agent") as client:
        answer = await client.get("/v1/invitations", params=wanted)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, object]] = answer.json()["items"]
    return items


async def _post(service: ServiceUnderTest, page: str, score: int, comment: str = "") -> httpx.Response:
    async with service.client(None) as client:
        return await client.post(page, json={"score": score, "comment": comment})


async def test_a_late_answer_is_kept_marked_and_told_to_nobody(uncapped: ServiceUnderTest) -> None:
    page = await _ended(uncapped)
    answer = await _post(uncapped, page, 2, "I was away")
    assert answer.status_code == 200, answer.text
    assert (answer.json()["late"], answer.json()["revision"]) == (True, 1)
    assert answer.json()["open_until"] < answer.json()["answered_at"]
    await run(uncapped)
    assert await uncapped.events("SurveyAnswered") == []
    [one] = await _shown(uncapped, late="true")
    assert (one["state"], one["late"], one["score"], one["comment"]) == ("expired", True, 2, "I was away")
    assert await _shown(uncapped, late="false") == []
    async with uncapped.client("supervisor") as client:
        detail = (await client.get(f"/v1/invitations/{one['id']}")).json()
    assert [(kept["revision"], kept["score"]) for kept in detail["answers"]] == [(1, 2)]


async def test_the_page_takes_a_late_answer_and_thanks_without_a_form(uncapped: ServiceUnderTest) -> None:
    page = await _ended(uncapped)
    async with uncapped.client(None) as client:
        shown = await client.get(page, headers=BROWSER)
        assert "How did we do?" in shown.text
        # 14 days of the window and 30 more after START_MS.
        assert "You can answer until July 11, 2026." in shown.text
        thanks = await client.post(page, data={"score": "4"}, headers=BROWSER)
        again = await client.get(page, headers=BROWSER)
    for answer in (thanks, again):
        assert answer.status_code == 200
        assert "Thank you, we have your answer." in answer.text
        assert "<form" not in answer.text
        assert "change" not in answer.text


async def test_a_second_late_answer_is_refused_and_the_same_one_changes_nothing(
    uncapped: ServiceUnderTest,
) -> None:
    page = await _ended(uncapped)
    first = await _post(uncapped, page, 2, "slow")
    assert (await _post(uncapped, page, 2, "slow")).json() == first.json()
    second = await _post(uncapped, page, 5, "slow")
    assert (second.status_code, second.json()["type"]) == (404, "urn:centralino:problem:no-survey")
    async with uncapped.client(None) as client:
        changed = await client.post(page, data={"score": "5"}, headers=BROWSER)
    assert changed.status_code == 404
    [one] = await _shown(uncapped)
    assert (one["score"], one["revision"]) == (2, 1)


async def test_a_late_answer_just_before_the_expiry_is_noticed_does_not_stop_it(
    uncapped: ServiceUnderTest,
) -> None:
    page = await invited(uncapped)
    uncapped.clock.advance(14 * DAY)
    assert (await _post(uncapped, page, 3)).json()["late"] is True
    await run(uncapped)
    assert len(await uncapped.events("SurveyExpired")) == 1
    assert await uncapped.events("SurveyAnswered") == []
    [one] = await _shown(uncapped, state="expired")
    assert (one["late"], one["score"]) == (True, 3)


async def test_after_the_late_days_the_link_opens_nothing(uncapped: ServiceUnderTest) -> None:
    page = await _ended(uncapped)
    uncapped.clock.advance(29 * DAY)
    async with uncapped.client(None) as client:
        assert (await client.get(page, headers=BROWSER)).status_code == 404
    assert (await _post(uncapped, page, 5)).status_code == 404
    assert await _shown(uncapped, late="true") == []


@pytest.mark.parametrize(("late_days", "status"), [(0, 404), (1, 404), (2, 200)])
async def test_how_late_is_the_operators_choice(late_days: float, status: int) -> None:
    settings = SurveySettings(delay_seconds=0, late_days=late_days)
    async with running(definition, settings) as service:
        page = await _ended(service)
        assert (await _post(service, page, 5)).status_code == status
