"""Reads from the platform, as any supervisor may, all that the account needs."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any, Final

from services.demo.access import Access
from services.demo.seen import Seen, SeenConversation, SeenMessage

_AT_ONCE: Final = 8
_PAGE: Final = 200


async def collect(access: Access, known: Iterable[str], *, alone: bool) -> Seen:
    """Conversations with their messages, outcomes, and what opened nothing.

    On a platform of its own (`alone`) the simulation looks at every conversation, else at the `known` ones.
    """
    token = access.token("supervisor", "demo-supervisor")
    wanted = set(known)
    if alone:
        async for item in pages(access, "/agent/v1/conversations", token):
            wanted.add(item["id"])
    few = asyncio.Semaphore(_AT_ONCE)

    async def read(conversation_id: str) -> SeenConversation:
        async with few:
            return await _conversation(access, token, conversation_id)

    conversations = await asyncio.gather(*(read(one) for one in sorted(wanted)))
    trailing = {
        item["id"]: item["cause"] async for item in pages(access, "/agent/v1/messages/trailing", token)
    }
    return Seen(
        conversations={one.conversation_id: one for one in conversations},
        outcomes=tuple([outcome async for outcome in outcomes(access)]),
        trailing=trailing,
        invitations=tuple([item async for item in pages(access, "/survey/v1/invitations", token)]),
        alone=alone,
    )


async def unplaced(access: Access, accepted: Mapping[str, str]) -> dict[str, str]:
    """Those of the accepted messages (id to conversation) that are in no episode yet and not said to open none."""
    token = access.token("supervisor", "demo-supervisor")
    few = asyncio.Semaphore(_AT_ONCE)

    async def placed(conversation_id: str) -> set[str]:
        async with few:
            seen = await _conversation(access, token, conversation_id)
        return {one.message_id for one in seen.messages if one.episode is not None or one.trailing_cause}

    found = await asyncio.gather(*(placed(one) for one in sorted(set(accepted.values()))))
    there = set[str]().union(*found)
    return {message: conversation for message, conversation in accepted.items() if message not in there}


async def pages(access: Access, path: str, token: str, **only: str | int) -> AsyncIterator[dict[str, Any]]:
    """The items of a list, page by page. `only` are query parameters of the list."""
    cursor = ""
    while True:
        more = {"limit": _PAGE, **only}
        if cursor:
            more["cursor"] = cursor
        page = await access.get(path, token, **more)
        for item in page["items"]:
            yield item
        cursor = page.get("next_cursor") or ""
        if not cursor:
            return


async def outcomes(access: Access) -> AsyncIterator[dict[str, Any]]:
    """Every revision that the feed holds now, oldest first."""
    token = access.token("service", "demo-reader")
    after: dict[str, str | int] = {}
    while True:
        page = await access.get("/analytics/v1/outcomes", token, limit=1000, **after)
        for outcome in page["items"]:
            yield outcome
        if not page["items"]:
            return
        after = {"after": page["next_cursor"]}


async def _conversation(access: Access, token: str, conversation_id: str) -> SeenConversation:
    response = await access.call("GET", f"/agent/v1/conversations/{conversation_id}", token=token)
    if response.status_code == 404:
        return SeenConversation(conversation_id, ())
    detail = response.json()
    path = f"/agent/v1/conversations/{conversation_id}/messages"
    messages = [
        SeenMessage(
            item["id"],
            item["seq"] or 0,
            item["text"],
            item["episode"],
            item["trailing_cause"] or "",
            item["automatic"],
        )
        async for item in pages(access, path, token)
    ]
    episodes = detail["history"]["episodes"]
    return SeenConversation(
        conversation_id,
        tuple(reversed(messages)),
        tuple(one["episode"] for one in episodes),
        tuple(one["episode"] for one in episodes if not one["resolved_at"]),
    )
