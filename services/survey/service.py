"""The survey service, put together."""

from libs.contracts import SurveyAnswered
from libs.runtime import Platform, Service, ServiceDefinition
from libs.streams import Subscriber
from services.survey.adapters.links import LinkKeys
from services.survey.adapters.texts import read_definitions
from services.survey.api.limits import PostLimit
from services.survey.api.pages import Pages
from services.survey.api.public import public
from services.survey.api.staff import links, staff
from services.survey.context import Rules, context
from services.survey.handlers import stream
from services.survey.operations import Answers
from services.survey.settings import SurveySettings

_KEY_FILE = "survey-keys.json"
_GATHER_SECONDS = 0.1
"""A survey goes out minutes after the resolution: so much later is not seen."""


def build(platform: Platform, settings: SurveySettings) -> Service:
    """Definitions, keys of links, routes and the consumer group."""
    database = platform.database
    definitions = read_definitions()
    definition = definitions["csat"]
    default_language = definition.language_for(settings.default_language)
    rules = Rules(settings.policy(), definition, default_language)
    given = settings.keys.get_secret_value()
    keys = LinkKeys.from_text(given) if given else LinkKeys.load_or_create(platform.data / _KEY_FILE)
    answers = Answers(database, keys, rules)
    return Service(
        routers=[
            staff(database, definitions),
            links(database, keys, definitions, platform.public_url),
            public(
                answers,
                definition,
                Pages(definition, default_language, rules.policy.late_ms, database.clock),
                PostLimit(settings.posts_per_minute),
            ),
        ],
        subscribers=[Subscriber(stream, context(rules), gather_seconds=_GATHER_SECONDS)],
    )


definition = ServiceDefinition(
    name="survey",
    title="Survey",
    purpose="Asks customers how an episode went, once for each, and takes their answers",
    settings=SurveySettings,
    build=build,
    migrations="services.survey.migrations",
    streams=(stream,),
    emits=(SurveyAnswered,),
)
