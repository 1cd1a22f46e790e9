"""How a simulated agent handles one conversation: read, ask once, answer, perhaps hand over, resolve."""

import asyncio
import random
from typing import Any, Final

from services.demo import phrases
from services.demo.access import Refused
from services.demo.cast import TEAMS, Person
from services.demo.scene import Scene

_MOST_REPLIES: Final = 8
_PATIENCE_S: Final = 8.0
"""How long a conversation may look as if nothing were open in it before it is left alone."""
_STALE: Final = frozenset({409, 412, 422})


class Casework:
    """One conversation in the hands of one agent, from the assignment to the end of the episode or a transfer."""

    def __init__(
        self, scene: Scene, person: Person, token: str, draw: random.Random, conversation_id: str
    ) -> None:
        self._scene = scene
        self._person = person
        self._token = token
        self._draw = draw
        self._id = conversation_id
        self._path = f"/agent/v1/conversations/{conversation_id}"
        self._answered = 0
        self._replies = 0
        self._etag = ""
        self.over = False
        """Set by others when the conversation has gone to somebody else: an act under way is still ended."""

    async def do(self) -> None:
        """Works until the episode is resolved, by whomever, or handed over."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        quiet_since, quiet_s = begun, 0.0
        acted = False
        while not self.over:
            seen = await self._read()
            if seen["status"] in ("new", "resolved"):
                # Assigned faster than the record knows; an assignment that the record has overtaken ends the same way.
                if acted or loop.time() - begun > _PATIENCE_S:
                    return
                await asyncio.sleep(0.3)
                continue
            acted = True
            if seen["last_seq"] > self._answered and self._replies < _MOST_REPLIES:
                if self._replies == 0 and self._wants_transfer(seen) and await self._hand_over(seen):
                    return
                await asyncio.sleep(self._scene.pace.draw("write", self._draw))
                if await self._reply(seen):
                    quiet_since, quiet_s = loop.time(), self._scene.pace.draw("quiet", self._draw)
            elif loop.time() - quiet_since >= quiet_s:
                if await self._resolve(seen):
                    return
            else:
                await asyncio.sleep(self._scene.pace.draw("look", self._draw))

    async def _read(self) -> dict[str, Any]:
        response = await self._scene.access.call("GET", self._path, token=self._token, params={"limit": 10})
        if response.status_code == 404:
            return {"status": "new"}
        if response.status_code != 200:
            raise Refused(response, "reading a conversation")
        self._etag = response.headers["ETag"]
        seen: dict[str, Any] = response.json()
        return seen

    async def _reply(self, seen: dict[str, Any]) -> bool:
        after = seen["last_seq"]
        if self._replies == 0:
            text = phrases.question(seen["language"], self._draw)
            body = {"text": text, "after_seq": after, "then": "pending_customer"}
        else:
            text = phrases.answer(seen["language"], self._draw)
            body = {"text": text, "after_seq": after}
        answer = await self._act("reply", "/replies", body, {"text": text, "after_seq": after})
        if answer is None:
            return False
        self._answered = after
        self._replies += 1
        self._scene.counts["replies"] += 1
        return True

    async def _resolve(self, seen: dict[str, Any]) -> bool:
        facts = {"episode": seen["episode"], "through_seq": seen["last_seq"]}
        body = {"through_seq": seen["last_seq"], "reason": "solved"}
        if await self._act("resolve", "/resolve", body, facts) is None:
            return False
        self._scene.counts["resolved"] += 1
        return True

    def _wants_transfer(self, seen: dict[str, Any]) -> bool:
        handed = any(note["kind"] == "transfer" for note in seen["notes"])
        return not handed and self._draw.random() < self._person.transfers

    async def _hand_over(self, seen: dict[str, Any]) -> bool:
        here = (seen["assignment"]["team"] or {}).get("id", "")
        team = self._draw.choice([team for team in TEAMS if team != here])
        body = {"team_id": team, "note": phrases.hand_over(seen["language"])}
        if await self._act("transfer", "/transfers", body, {"team": team}) is None:
            return False
        self._scene.counts["transfers"] += 1
        return True

    async def _act(
        self, what: str, path: str, body: dict[str, Any], facts: dict[str, Any]
    ) -> dict[str, Any] | None:
        """One act, on the record before and after. None when things have moved on: then read again."""
        key = self._scene.key(self._person.agent_id)
        about = {"key": key, "conversation_id": self._id, "agent": self._person.agent_id}
        await self._scene.record.write(what, **about, **facts)
        response = await self._scene.access.call(
            "POST",
            self._path + path,
            token=self._token,
            json=body,
            headers={"Idempotency-Key": key, "If-Match": self._etag},
        )
        accepted = response.status_code < 300
        answer: dict[str, Any] = response.json() if accepted else {}
        known = {"message_id": answer["id"]} if what == "reply" and accepted else {}
        await self._scene.record.write(f"{what}_answer", key=key, status=response.status_code, **known)
        if accepted:
            return answer
        self._scene.counts["stale"] += 1
        if response.status_code not in _STALE:
            raise Refused(response, f"{what} in a conversation")
        return None
