"""The messengers of simulated customers: every provider that is played, on loopback, and the accounts that use them."""

import json
import random
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Final

from starlette.applications import Starlette
from starlette.routing import Mount

from services.demo.stories import Story
from services.simulator import SHAPES, Faults, SimulatedProvider
from services.simulator.command import account_of
from services.simulator.serving import serving_app

_SECRET: Final = "secret-of-the-demo"
_RATE: Final = 200
_DOUBLED: Final = 0.1
_PLAIN: Final = ({"channel": "web"}, {"channel": "chat"}, {"channel": "api"})
_MAIL: Final = {"channel": "mail", "address": "support@localhost.localdomain"}
# A call is answered by another channel than it came by; its stories would have to be written for that.
PLAYED: Final = tuple(name for name in sorted(SHAPES) if name != "twilio-voice")


class Messengers:
    """`async with Messengers() as messengers:` plays all providers. Answers go to whoever `expect`s them."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(f"messengers {seed}")
        faults = Faults(busy=0.02, doubled=_DOUBLED, reordered=0.1)
        told = ("sent", "delivered", "read")
        self._providers = {
            name: SimulatedProvider(SHAPES[name], _SECRET, faults=faults, seed=seed, statuses=told)
            for name in PLAYED
        }
        self._readers: dict[tuple[str, str], Callable[[str], None]] = {}
        self._numbers = dict.fromkeys(PLAYED, 0)
        self._stack = AsyncExitStack()
        self.address = ""
        self.unexpected = 0
        for name, provider in self._providers.items():
            provider.heard = lambda person, text, name=name: self._hear(name, person, text)

    async def __aenter__(self) -> "Messengers":
        app = Starlette(routes=[Mount(f"/{name}", one.app()) for name, one in self._providers.items()])
        self.address = await self._stack.enter_async_context(serving_app(app))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def settings(self) -> dict[str, str]:
        """Of a platform that has an account at each, as environment variables."""
        accounts = [
            {
                **account_of(one.shape, "default", _SECRET, f"{self.address}/{name}"),
                "rate_per_second": _RATE,
            }
            for name, one in self._providers.items()
            if name not in ("twilio-whatsapp", "viber")
        ]
        # Two accounts of one channel have two names.
        accounts += [
            {
                **account_of(self._providers[name].shape, name, _SECRET, f"{self.address}/{name}"),
                "rate_per_second": _RATE,
            }
            for name in ("twilio-whatsapp", "viber")
        ]
        return {
            "CENTRALINO_INGEST_ACCOUNTS": json.dumps([*_PLAIN, _MAIL, *accounts]),
            "CENTRALINO_INGEST_OUTGOING_ALLOWED": json.dumps(["127.0.0.0/8"]),
        }

    def connect(self, platform: str) -> None:
        """Says where webhooks go: the platform's address, which is its public one too."""
        for name, one in self._providers.items():
            one.hook_url = platform + self.hook(name)

    def hook(self, name: str) -> str:
        """The path of a provider's webhooks."""
        account = name if name in ("twilio-whatsapp", "viber") else "default"
        return f"/ingest/v1/hooks/{name}/{account}"

    def expect(self, name: str, read: Callable[[str], None]) -> str:
        """A person of a provider, whose messages are given to `read` from now on: their number or id."""
        self._numbers[name] += 1
        person = f"{'+' if name.startswith('twilio') else ''}39333{self._numbers[name]:07d}"
        self._readers[name, person] = read
        return person

    def webhook(self, name: str, person: str, text: str) -> tuple[str, bytes, dict[str, str], bool]:
        """(the id its happening has within the account, body and headers of the webhook, whether it is told twice)."""
        provider = self._providers[name]
        self._numbers[name] += 1
        payload = provider.shape.message(self._numbers[name], person, text)
        return (
            provider.shape.message_id(self._numbers[name]),
            payload.body,
            provider.headers(payload),
            self._random.random() < _DOUBLED,
        )

    def _hear(self, name: str, person: str, text: str) -> None:
        read = self._readers.get((name, person))
        if read is None:
            self.unexpected += 1
        else:
            read(text)


def spread(stories: Sequence[Story]) -> list[Story]:
    """The stories with those of the chat dealt out: one goes on in the chat, one to each messenger, and so on."""
    played, place = [], 0
    for story in stories:
        if story.channel == "chat":
            name = ("chat", *PLAYED)[place % (len(PLAYED) + 1)]
            place += 1
            story = replace(story, channel=name)
        played.append(story)
    return played
