"""The ways to a customer, asked of ingest."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import httpx

from libs.runtime import Peers
from services.agent.domain.reaching import Template, Way
from services.agent.ports import WaysAway

_SECONDS: Final = 1.0


class PeerWays:
    """Asks `GET /ingest/v1/conversations/{id}/ways`."""

    def __init__(self, peers: Peers) -> None:
        self._peers = peers

    async def of(self, conversation_id: str) -> Sequence[Way]:
        try:
            answer = await self._peers.client("ingest").get(
                f"/v1/conversations/{conversation_id}/ways", timeout=_SECONDS
            )
        except (httpx.HTTPError, KeyError) as error:
            raise WaysAway(f"ingest cannot be asked: {type(error).__name__}") from error
        if answer.status_code == 404:
            return ()
        if answer.status_code != 200:
            raise WaysAway(f"ingest answered {answer.status_code}")
        return [_way(one) for one in answer.json()["ways"]]


def _way(one: Mapping[str, Any]) -> Way:
    return Way(
        channel=one["channel"],
        account=one["account"],
        endpoint=one["endpoint"],
        open=one["open"],
        ends_at=one["ends_at"] or "",
        reason=one["reason"] or "",
        consent=one["consent"],
        templates=tuple(
            Template(each["name"], each["language"], each["text"], tuple(each["places"]))
            for each in one["templates"]
        ),
    )
