"""Asks the operator's system about a customer: one signed GET, 300 ms at most, its answer checked, kept for a minute."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from standardwebhooks import Webhook

from libs.runtime import Clock, new_id
from libs.telemetry import get_logger
from libs.web import GuardedClient, OutgoingError
from services.ingest.domain.customer_context import (
    ContextItem,
    ContextSection,
    ContextState,
    CustomerContext,
)
from services.ingest.domain.texts import one_line, storable

_MOST_BYTES: Final = 65_536
_MOST_KEPT: Final = 2_000
_STALE_MS: Final = 600_000
_log = get_logger("ingest")

Identities = tuple[tuple[str, str, str], ...]


class _Item(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    label: Annotated[str, StringConstraints(max_length=100)]
    value: Annotated[str, StringConstraints(max_length=1000)]
    url: Annotated[str, StringConstraints(max_length=2000, pattern=r"^(https://\S+)?$")] = ""


class _Section(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    title: Annotated[str, StringConstraints(max_length=100)]
    items: Annotated[list[_Item], Field(max_length=50)]


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    sections: Annotated[list[_Section], Field(max_length=20)] = []
    attributes: Annotated[
        dict[
            Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_.-]{0,49}$")],
            Annotated[str, StringConstraints(max_length=500)],
        ],
        Field(max_length=50),
    ] = {}


class HookFailed(Exception):
    """The hook cannot be asked or does not say what it should; the text is for the agent and the operator."""


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of a customer's context, and how."""

    state: ContextState
    at_ms: int
    context: CustomerContext | None
    reason: str = ""


def read_answer(status: int, body: bytes) -> CustomerContext:
    """The context in an answer: hostile data, cut to one line where it is a name. Raises HookFailed."""
    if status != 200:
        raise HookFailed(f"the context hook answered {status}; expected 200")
    if len(body) > _MOST_BYTES:
        raise HookFailed(f"the context hook answered {len(body)} bytes; at most {_MOST_BYTES} are read")
    try:
        answer = _Answer.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        place = "/".join(map(str, first["loc"])) or "the body"
        raise HookFailed(f"the context hook's answer is not as described: {place}: {first['msg']}") from None
    return CustomerContext(
        tuple(
            ContextSection(
                one_line(section.title, 100),
                tuple(
                    ContextItem(one_line(item.label, 100), storable(item.value), item.url)
                    for item in section.items
                ),
            )
            for section in answer.sections
        ),
        {name: storable(value) for name, value in answer.attributes.items()},
    )


class ContextHook:
    """Asks and remembers, in this process. Those who want the same at the same time share one request."""

    def __init__(
        self,
        url: str,
        secrets: Sequence[str],
        client: GuardedClient,
        clock: Clock,
        *,
        deadline_ms: int,
        cache_s: float,
    ) -> None:
        """Without a `url` there is no hook. `secrets` sign, all of them, as Standard Webhooks has it."""
        self._url = url
        self._secrets = tuple(secrets)
        self._client = client
        self._clock = clock
        self._deadline_s = deadline_ms / 1000
        self._cache_ms = int(cache_s * 1000)
        self._known: OrderedDict[Identities, tuple[int, CustomerContext]] = OrderedDict()
        self._asking: dict[Identities, asyncio.Task[CustomerContext]] = {}

    async def context(self, identities: Identities) -> Told:
        """What the operator's system says of whoever these identities are."""
        now_ms = self._clock.now_ms()
        if not self._url:
            return Told(ContextState.OFF, now_ms, None)
        if not identities:
            return Told(ContextState.UNVERIFIED, now_ms, None, "nobody vouches for who this customer is")
        known = self._known.get(identities)
        if known is not None and now_ms - known[0] < self._cache_ms:
            return Told(ContextState.CACHED, known[0], known[1])
        try:
            return Told(ContextState.FRESH, now_ms, await self._ask_once(identities))
        except (HookFailed, OutgoingError) as error:
            _log.warning("context_hook_failed", reason=str(error))
            if known is not None and now_ms - known[0] < _STALE_MS:
                return Told(ContextState.STALE, known[0], known[1], str(error))
            return Told(ContextState.FAILED, now_ms, None, str(error))

    async def _ask_once(self, identities: Identities) -> CustomerContext:
        task = self._asking.get(identities)
        if task is None:
            task = self._asking[identities] = asyncio.create_task(self._ask(identities))
            task.add_done_callback(lambda _: self._asking.pop(identities, None))
        return await asyncio.shield(task)

    async def _ask(self, identities: Identities) -> CustomerContext:
        query = urlencode([("identity", ":".join(one)) for one in identities])
        id_, now_s = new_id(), self._clock.now_ms() // 1000
        at = datetime.fromtimestamp(now_s, UTC)
        headers = {
            "Accept": "application/json",
            "webhook-id": id_,
            "webhook-timestamp": str(now_s),
            # A GET has no body: what is asked is what is signed.
            "webhook-signature": " ".join(Webhook(one).sign(id_, at, query) for one in self._secrets),
        }
        joined = "&" if "?" in self._url else "?"
        answer = await self._client.request(
            "GET", f"{self._url}{joined}{query}", headers=headers, deadline_s=self._deadline_s
        )
        context = await asyncio.to_thread(read_answer, answer.status, answer.body)
        self._known[identities] = (self._clock.now_ms(), context)
        self._known.move_to_end(identities)
        if len(self._known) > _MOST_KEPT:
            self._known.popitem(last=False)
        return context
