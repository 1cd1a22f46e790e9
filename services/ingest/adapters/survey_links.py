"""Links of surveys, asked of the survey service."""

import httpx

from libs.runtime import Peers
from services.ingest.ports import LinkGone, SendUnavailable


class PeerSurveyLinks:
    """Asks `GET /survey/v1/invitations/{id}/link`."""

    def __init__(self, peers: Peers) -> None:
        self._peers = peers

    async def link(self, invitation_id: str) -> str:
        try:
            answer = await self._peers.client("survey").get(f"/v1/invitations/{invitation_id}/link")
        except (httpx.HTTPError, KeyError) as error:
            raise SendUnavailable(f"survey service: {type(error).__name__}: {error}") from error
        if answer.status_code in (404, 410):
            raise LinkGone(f"survey service answered {answer.status_code}")
        if answer.status_code != 200:
            raise SendUnavailable(f"survey service answered {answer.status_code}")
        return str(answer.json()["link"])
