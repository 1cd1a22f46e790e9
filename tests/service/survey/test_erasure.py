"""Who is forgotten is not asked, and what they had said is blank."""

from libs.contracts import CustomerErased
from libs.storage import fetch_all
from services.survey.service import definition
from services.survey.settings import SurveySettings
from tests.service.survey.steps import invited, resolved, run
from tests.support.harness import running


async def test_comments_are_blanked_and_what_was_planned_is_cancelled() -> None:
    settings = SurveySettings(delay_seconds=0, cap_days=0)
    async with running(definition, settings) as survey:
        page = await invited(survey, "c1")
        async with survey.client(None) as customer:
            await customer.post(page, json={"score": 5, "comment": "marker-of-survey"})
        await survey.publish(resolved("c2"), CustomerErased(customer_id="p1"))
        await survey.settle()
        await survey.publish(resolved("c3"))
        await run(survey)
        cancelled = {e.conversation_id: e.reason for e in await survey.events("SurveyCancelled")}
        assert cancelled == {"c2": "erased", "c3": "erased"}
        async with survey.database.read() as connection:
            for table in ("invitations", "answers", "customers", "persons"):
                rows = await fetch_all(
                    connection,
                    f"SELECT count(*) FROM survey.{table} t WHERE t::text ~ '(marker-of-survey|p1)'",
                )
                assert rows == [(0,)], table
