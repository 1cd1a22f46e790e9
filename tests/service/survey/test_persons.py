"""Customers who are one person are asked as one, as long as the link holds."""

from services.survey.service import definition
from services.survey.settings import SurveySettings
from tests.service.survey.steps import resolved, run
from tests.support.harness import running
from tests.support.persons import linked, unlinked


async def test_the_cap_counts_a_person_and_follows_the_undo() -> None:
    settings = SurveySettings(delay_seconds=0, cap_days=30)
    async with running(definition, settings) as survey:
        await survey.publish(resolved("c1", customer="p1"))
        await run(survey)
        await survey.publish(unlinked("p1", "p2"), linked("p1", "p2"), linked("p1", "p2", version=3))
        await survey.settle()
        await survey.publish(resolved("c2", customer="p2"))
        await run(survey)
        [capped] = await survey.events("SurveyCancelled")
        assert (capped.conversation_id, capped.reason) == ("c2", "capped")
        await survey.publish(unlinked("p1", "p2", version=4))
        await survey.settle()
        await survey.publish(resolved("c3", customer="p2"), resolved("c4", customer="p1"))
        await run(survey)
        asked = sorted(event.conversation_id for event in await survey.events("SurveyRequested"))
        assert asked == ["c1", "c3"], "apart again, each by their own"
