"""What is done for some customers, and who is kept free for some queues, as people write it."""

from pydantic import Field

from services.routing.api.shapes import Body, Id
from services.routing.domain.directory_problems import SENIORITIES
from services.routing.domain.queue_policy import BotRules, Care, Reserve


class CareShape(Body):
    """For customers of a tier, or in debt: so many rings are open from the beginning, and nobody less senior serves."""

    ring: int = Field(default=0, ge=0, le=20)
    seniority: int = Field(default=0, ge=0, le=SENIORITIES)


class ReserveShape(Body):
    """Of the free agents who can serve all these queues the last one is left to them; what waits elsewhere may have him
    after so long. Without queues nobody is kept."""

    queues: list[Id] = Field(default=[], max_length=50)
    after_ms: int = Field(default=0, ge=0, le=86_400_000)


class BotShape(Body):
    """How long a bot may be silent, after a customer's message and after its own answer; answer_ms 0 = no bot."""

    answer_ms: int = Field(default=0, ge=0, le=3_600_000)
    idle_ms: int = Field(default=600_000, gt=0, le=86_400_000)


def bot_of(shape: BotShape) -> BotRules:
    return BotRules(shape.answer_ms, shape.idle_ms)


def bot_facts(rules: BotRules) -> dict[str, int]:
    return {"answer_ms": rules.answer_ms, "idle_ms": rules.idle_ms}


def care_of_shape(shape: CareShape) -> Care:
    return Care(shape.ring, shape.seniority)


def care_facts(care: Care) -> dict[str, int]:
    return {"ring": care.ring, "seniority": care.seniority}


def reserve_of(shape: ReserveShape) -> Reserve:
    return Reserve(tuple(sorted(set(shape.queues))), shape.after_ms)


def reserve_facts(reserve: Reserve) -> dict[str, object]:
    return {"queues": list(reserve.queues), "after_ms": reserve.after_ms}
