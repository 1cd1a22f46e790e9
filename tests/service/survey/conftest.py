"""A survey service without the cap, and one with it, and the events it hears."""

from collections.abc import AsyncIterator

import pytest

from services.survey.service import definition
from services.survey.settings import SurveySettings
from tests.support.harness import ServiceUnderTest, running


@pytest.fixture
async def survey() -> AsyncIterator[ServiceUnderTest]:
    async with running(definition, SurveySettings()) as service:
        yield service


@pytest.fixture
async def uncapped() -> AsyncIterator[ServiceUnderTest]:
    async with running(definition, SurveySettings(delay_seconds=0, cap_days=0)) as service:
        yield service
