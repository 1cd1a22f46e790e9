"""Who is asked, when, and who is not."""

import itertools

import pytest

from services.survey.adapters.contracts import invitation_id
from services.survey.service import definition
from services.survey.settings import SurveySettings
from tests.service.survey.steps import DAY, MINUTE, reopened, resolved, run
from tests.support.harness import START_MS, ServiceUnderTest, running


@pytest.mark.parametrize(
    ("channel", "delay_ms"),
    [("chat", 10 * MINUTE), ("web", 10 * MINUTE), ("api", 10 * MINUTE), ("mail", DAY)],
)
async def test_an_invitation_goes_out_after_the_delay_of_its_channel(
    survey: ServiceUnderTest, channel: str, delay_ms: int
) -> None:
    await survey.publish(resolved(channel=channel, language="ro"))
    survey.clock.advance(delay_ms - 2000)
    await run(survey)
    assert await survey.events("SurveyRequested") == []
    survey.clock.advance(2000)
    await run(survey)
    [event] = await survey.events("SurveyRequested")
    assert (event.conversation_id, event.episode, event.customer_id) == ("c1", 1, "p1")
    assert (event.channel, event.language) == (channel, "ro")
    assert START_MS + delay_ms <= event.requested_at_ms < START_MS + delay_ms + 2000
    assert event.expires_at_ms == event.requested_at_ms + 14 * DAY
    assert event.text.count("{link}") == 1
    assert "Cum ne-am descurcat" in event.text


async def test_a_language_without_texts_becomes_the_default(uncapped: ServiceUnderTest) -> None:
    await uncapped.publish(
        resolved("c1", language="fi"), resolved("c2", language=""), resolved("c3", language="pt-BR")
    )
    await run(uncapped)
    events = await uncapped.events("SurveyRequested")
    assert {e.conversation_id: e.language for e in events} == {"c1": "en", "c2": "en", "c3": "pt"}


async def test_a_resolution_that_comes_twice_asks_once(uncapped: ServiceUnderTest) -> None:
    await uncapped.publish(resolved())
    await run(uncapped)
    await uncapped.publish(resolved())
    await run(uncapped)
    assert len(await uncapped.events("SurveyRequested")) == 1


@pytest.mark.parametrize("reason", ["spam", "duplicate", "no_reply"])
async def test_nobody_is_asked_about_what_was_no_work(uncapped: ServiceUnderTest, reason: str) -> None:
    await uncapped.publish(resolved(reason=reason))
    await run(uncapped)
    [event] = await uncapped.events("SurveyCancelled")
    assert event.reason == reason
    assert await uncapped.events("SurveyRequested") == []


@pytest.mark.parametrize("order", list(itertools.permutations(range(2))))
async def test_reopening_before_the_invitation_cancels_it_in_any_order_of_arrival(
    survey: ServiceUnderTest, order: tuple[int, ...]
) -> None:
    events = [resolved(), reopened()]
    for index in order:
        await survey.publish(events[index])
        await run(survey)
    survey.clock.advance(DAY)
    await run(survey)
    [event] = await survey.events("SurveyCancelled")
    assert (event.reason, event.episode, event.invitation_id) == ("reopened", 1, invitation_id("c1", 1))
    assert event.cancelled_at_ms == START_MS + MINUTE
    assert await survey.events("SurveyRequested") == []


async def test_the_episode_after_a_reopening_is_asked_about(survey: ServiceUnderTest) -> None:
    await survey.publish(resolved(), reopened(), resolved(episode=2, at_ms=START_MS + 2 * MINUTE))
    await run(survey)
    survey.clock.advance(12 * MINUTE)
    await run(survey)
    assert [e.episode for e in await survey.events("SurveyRequested")] == [2]
    assert [e.episode for e in await survey.events("SurveyCancelled")] == [1]


async def test_reopening_after_the_invitation_leaves_it_open(uncapped: ServiceUnderTest) -> None:
    await uncapped.publish(resolved())
    await run(uncapped)
    await uncapped.publish(reopened())
    await run(uncapped)
    assert await uncapped.events("SurveyCancelled") == []


async def test_a_customer_who_was_asked_this_week_is_not_asked_again(survey: ServiceUnderTest) -> None:
    await survey.publish(resolved("c1"))
    survey.clock.advance(10 * MINUTE)
    await run(survey)
    await survey.publish(
        resolved("c2", at_ms=START_MS + DAY), resolved("c3", customer="p2", at_ms=START_MS + DAY)
    )
    survey.clock.advance(2 * DAY)
    await run(survey)
    assert {e.conversation_id for e in await survey.events("SurveyRequested")} == {"c1", "c3"}
    [event] = await survey.events("SurveyCancelled")
    assert (event.conversation_id, event.reason) == ("c2", "capped")
    survey.clock.advance(5 * DAY)
    await survey.publish(resolved("c4", at_ms=START_MS + 7 * DAY))
    survey.clock.advance(10 * MINUTE)
    await run(survey)
    assert "c4" in {e.conversation_id for e in await survey.events("SurveyRequested")}


async def test_an_invitation_that_nobody_answers_expires(uncapped: ServiceUnderTest) -> None:
    await uncapped.publish(resolved())
    await run(uncapped)
    uncapped.clock.advance(14 * DAY - 2000)
    await run(uncapped)
    assert await uncapped.events("SurveyExpired") == []
    uncapped.clock.advance(2000)
    await run(uncapped)
    [event] = await uncapped.events("SurveyExpired")
    [asked] = await uncapped.events("SurveyRequested")
    assert event.expired_at_ms == asked.expires_at_ms


async def test_quiet_hours_put_an_invitation_off_to_the_morning() -> None:
    settings = SurveySettings(delay_seconds=0, quiet_from="00:00", quiet_until="23:59", quiet_zone="UTC")
    async with running(definition, settings) as service:
        await service.publish(resolved())
        await run(service)
        assert await service.events("SurveyRequested") == []
        service.clock.advance((DAY - MINUTE - START_MS) % DAY)
        await run(service)
        [event] = await service.events("SurveyRequested")
        assert DAY - MINUTE <= event.requested_at_ms % DAY < DAY


async def test_staff_see_invitations_in_pages_and_by_state(uncapped: ServiceUnderTest) -> None:
    await uncapped.publish(*(resolved(f"c{n}", customer=f"p{n}", at_ms=START_MS + n) for n in range(5)))
    uncapped.clock.advance(1000)
    await uncapped.publish(resolved("c9", reason="spam"))
    await run(uncapped)
    async with uncapped.client("agent") as client:
        first = (await client.get("/v1/invitations", params={"state": "requested", "limit": 3})).json()
        assert [one["conversation_id"] for one in first["items"]] == ["c4", "c3", "c2"]
        rest = await client.get(
            "/v1/invitations", params={"state": "requested", "limit": 3, "cursor": first["next_cursor"]}
        )
        assert [one["conversation_id"] for one in rest.json()["items"]] == ["c1", "c0"]
        assert rest.json()["next_cursor"] is None
        one = (await client.get("/v1/invitations", params={"conversation_id": "c9"})).json()["items"]
        assert [(item["state"], item["cancel_reason"]) for item in one] == [("cancelled", "spam")]
        assert (await client.get("/v1/invitations/nothing")).status_code == 404
        [shown] = (await client.get("/v1/definitions")).json()
        assert sorted(shown["languages"]) == ["ar", "de", "en", "es", "fr", "it", "pt", "ro"]
    async with uncapped.client(None) as client:
        assert (await client.get("/v1/invitations")).status_code == 401


async def test_only_the_sender_gets_the_link_and_only_while_it_opens_something(
    survey: ServiceUnderTest,
) -> None:
    path = f"/v1/invitations/{invitation_id('c1', 1)}/link"
    await survey.publish(resolved())
    await run(survey)
    async with survey.client("service", "ingest") as sender, survey.client("supervisor") as person:
        assert (await person.get(path)).status_code == 403
        assert (await sender.get(path)).json()["type"].endswith("survey-not-due")
        survey.clock.advance(10 * MINUTE)
        await run(survey)
        first, second = (await sender.get(path)).json(), (await sender.get(path)).json()
        assert first == second
        assert first["link"] in first["text"]
        survey.clock.advance(15 * DAY)
        await run(survey)
        assert (await sender.get(path)).status_code == 410
