"""The messengers of simulated customers: every provider that is played, on loopback, and the accounts that use them."""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Final

from starlette.applications import Starlette
from starlette.routing import Mount

from services.demo.stories import Story, Turn
from services.simulator import SHAPES, Faults, SimulatedProvider
from services.simulator.command import account_of
from services.simulator.serving import serving_app
from services.simulator.twilio import TwilioVoice

_SECRET: Final = "secret-of-the-demo"
_RATE: Final = 200
_DOUBLED: Final = 0.1
_PLAIN: Final = ({"channel": "web"}, {"channel": "chat"}, {"channel": "api"})
_MAIL: Final = {"channel": "mail", "address": "support@localhost.localdomain"}
PLAYED: Final = tuple(sorted(SHAPES))
CALLS: Final = "twilio-voice"
ANSWERS_TO_CALLS: Final = "twilio-sms"
MISSED: Final = "(missed call, no-answer: call back)"
"""What the platform says of a call that nobody took."""
VOICEMAIL: Final = "(voicemail) "
"""What stands before the words that a caller left."""


Told = tuple[str, bytes, dict[str, str], bool]
"""The id a happening has within the account, body and headers of its webhook, whether it is told twice."""


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
        self._voice = TwilioVoice()
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
        # Who calls and who writes are other people: a number is one identity of one customer.
        series = "39334" if name == CALLS else "39333"
        person = f"{'+' if name.startswith('twilio') else ''}{series}{self._numbers[name]:07d}"
        self._readers[ANSWERS_TO_CALLS if name == CALLS else name, person] = read
        return person

    def webhook(self, name: str, person: str, text: str) -> Told:
        """A message of a person."""
        provider = self._providers[name]
        self._numbers[name] += 1
        payload = provider.shape.message(self._numbers[name], person, text)
        return (
            provider.shape.message_id(self._numbers[name]),
            payload.body,
            provider.headers(payload),
            self._random.random() < _DOUBLED,
        )

    def call(self, person: str, said: str) -> Iterator[Told]:
        """What is told of a call: that it rings, then what was left on the voicemail or that nobody took it."""
        provider, shape = self._providers[CALLS], self._voice
        self._numbers[CALLS] += 1
        number = self._numbers[CALLS]
        rings = shape.call(number, person, "ringing")
        yield shape.call_id(number, "ringing"), rings.body, provider.headers(rings), False
        if said == MISSED:
            id_, payload = shape.call_id(number, "no-answer"), shape.call(number, person, "no-answer")
        else:
            id_, payload = (
                shape.message_id(number),
                shape.message(number, person, said.removeprefix(VOICEMAIL)),
            )
        yield id_, payload.body, provider.headers(payload), self._random.random() < _DOUBLED

    def _hear(self, name: str, person: str, text: str) -> None:
        read = self._readers.get((name, person))
        if read is None:
            self.unexpected += 1
        else:
            read(text)


def spread(stories: Sequence[Story]) -> list[Story]:
    """The stories with those of the chat dealt out: one goes on in the chat, one to each messenger, one by phone, and so
    on."""
    played, place = [], 0
    for story in stories:
        if story.channel == "chat":
            name = ("chat", *PLAYED)[place % (len(PLAYED) + 1)]
            place += 1
            story = replace(story, channel=name)
            if name == CALLS:
                story = _by_phone(story, missed=place // len(PLAYED) % 2 == 1)
        played.append(story)
    return played


def _by_phone(story: Story, *, missed: bool) -> Story:
    """What comes before an answer is left on the voicemail; of some, nobody takes a first call."""
    turns = list(story.turns)
    for at, turn in enumerate(turns):
        if turn.when not in ("start", "burst"):
            break
        turns[at] = replace(turn, text=VOICEMAIL + turn.text)
    if missed:
        turns = [Turn("start", MISSED), replace(turns[0], when="burst"), *turns[1:]]
    return replace(story, turns=tuple(turns))
