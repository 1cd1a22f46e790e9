"""How a customer's words reach the platform: a form or chat over HTTP, a mail, a messenger."""

import asyncio
import re
import unicodedata
from collections.abc import Callable
from typing import Any, Final, Protocol
from urllib.parse import quote, urlsplit

import httpx

from services.demo.access import Refused
from services.demo.messengers import ANSWERS_TO_CALLS, CALLS, Told
from services.demo.post import Letter, compose, survey_link
from services.demo.scene import Scene
from services.demo.stories import Story
from services.demo.threads import Entry, Watcher

_NOT_PLAIN: Final = re.compile(r"[^a-z0-9]+")


class Line(Protocol):
    """One customer's way to the platform. `conversation_id` is empty until it is known."""

    conversation_id: str

    async def send(self, text: str, key: str) -> httpx.Response:
        """One message; what is new in the thread is told from then on."""
        ...

    def hang_up(self) -> None:
        """Nothing more is awaited."""
        ...


def line_of(scene: Scene, watcher: Watcher, story: Story, tell: Callable[[Entry], None]) -> Line:
    """The line of a story's channel."""
    if story.channel == "mail":
        return MailLine(scene, watcher, story, tell)
    if story.channel in ("web", "chat"):
        return VisitorLine(scene, watcher, story, tell)
    if story.channel == CALLS:
        return PhoneLine(scene, story, tell)
    return MessengerLine(scene, story, tell)


class VisitorLine:
    """A web form or a chat widget: anonymous at first, then with the token of its conversation."""

    def __init__(self, scene: Scene, watcher: Watcher, story: Story, tell: Callable[[Entry], None]) -> None:
        self.conversation_id = ""
        self._scene = scene
        self._watcher = watcher
        self._story = story
        self._tell = tell
        self._token = ""

    async def send(self, text: str, key: str) -> httpx.Response:
        body: dict[str, Any] = {"channel": self._story.channel, "text": text}
        if not self._token:
            body["sender"] = {"name": self._story.name}
            if self._story.language:
                body["sender"]["language"] = self._story.language
            if self._story.subject:
                body["subject"] = self._story.subject
        headers = {"Idempotency-Key": key}
        if not self._token:
            headers["Prefer"] = "wait=5"
        response = await self._scene.access.call(
            "POST", "/ingest/v1/messages", token=self._token, json=body, headers=headers
        )
        if response.status_code < 300 and not self._token:
            await self._learn(response.json())
        return response

    async def _learn(self, answer: dict[str, Any]) -> None:
        """The conversation and its token, asked for until they are there."""
        while not answer.get("visitor_token"):
            await asyncio.sleep(0.3)
            path = urlsplit(answer["location"]).path
            receipt = {"X-Receipt": answer["receipt"]}
            response = await self._scene.access.call("GET", path, headers=receipt)
            if response.status_code != 200:
                raise Refused(response, "asking for a message")
            answer = {**answer, **response.json()}
        self._token = answer["visitor_token"]
        self.conversation_id = answer["conversation_id"]
        self._watcher.watch(
            self.conversation_id, self._token, self._tell, stream=self._story.channel == "chat"
        )

    def hang_up(self) -> None:
        self._watcher.leave(self.conversation_id)


class MailLine:
    """Mail: posted as a mail server would, answered into the letter box, or read over HTTP where there is none."""

    def __init__(self, scene: Scene, watcher: Watcher, story: Story, tell: Callable[[Entry], None]) -> None:
        self.conversation_id = ""
        self.address = f"{_plain(story.story_id)}.{scene.run}@example.org"
        self._scene = scene
        self._watcher = watcher
        self._story = story
        self._tell = tell
        self._last: Letter | None = None
        self._own = ""
        self._sent = 0
        self._watched = False
        if scene.letters is not None:
            scene.letters.expect(self.address, self._read)

    def _read(self, letter: Letter) -> None:
        self._last = letter
        if letter.link:
            self._tell(Entry("survey", letter.link))
            # By mail, nothing else says that the problem is taken for solved.
            self._tell(Entry("resolved"))
        else:
            self._tell(Entry("reply"))

    async def send(self, text: str, key: str) -> httpx.Response:
        message_id = f"<{self._sent}.{self.address}>"
        subject = self._last.subject if self._last else self._story.subject or "(no subject)"
        to = self._last.reply_to if self._last else self._scene.mailbox
        raw = compose(self._story.name, self.address, to, subject, text, message_id, self._last, self._own)
        self._sent += 1
        self._own = message_id
        response = await self._scene.access.call(
            "POST",
            "/ingest/v1/mail",
            token=self._scene.access.token("service", "demo-mail"),
            content=raw,
            headers={"Idempotency-Key": key, "Content-Type": "message/rfc822", "Prefer": "wait=5"},
        )
        if response.status_code < 300 and not self.conversation_id:
            await self._learn(response.json())
        return response

    async def _learn(self, answer: dict[str, Any]) -> None:
        token = self._scene.access.token("service", "demo-mail")
        while not answer.get("conversation_id"):
            await asyncio.sleep(0.3)
            answer = {**answer, **await self._scene.access.get(urlsplit(answer["location"]).path, token)}
        self.conversation_id = answer["conversation_id"]
        if self._scene.letters is None:
            self._watcher.watch(self.conversation_id, token, self._tell, stream=False)

    def hang_up(self) -> None:
        self._watcher.leave(self.conversation_id)


class MessengerLine:
    """A provider's channel: posted as its webhook, sometimes twice; answered at the provider."""

    def __init__(self, scene: Scene, story: Story, tell: Callable[[Entry], None]) -> None:
        self.conversation_id = ""
        self._scene = scene
        self._name = story.channel
        self._tell = tell
        assert scene.messengers is not None, "only a platform of the demo's own has accounts of providers"
        self._messengers = scene.messengers
        self._person = self._messengers.expect(self._name, self._read)

    def _read(self, text: str) -> None:
        if link := survey_link(text):
            self._tell(Entry("survey", link))
            # On a messenger, nothing else says that the problem is taken for solved.
            self._tell(Entry("resolved"))
        else:
            self._tell(Entry("reply"))

    async def send(self, text: str, key: str) -> httpx.Response:
        return await self._tell_of(self._name, self._messengers.webhook(self._name, self._person, text))

    async def _post(self, name: str, told: Told) -> httpx.Response:
        _, body, headers, twice = told
        for _ in range(1 + twice):
            path = self._messengers.hook(name)
            response = await self._scene.access.call("POST", path, content=body, headers=headers)
            if response.status_code >= 300:
                break
        return response

    async def _tell_of(self, name: str, told: Told) -> httpx.Response:
        """Posts a webhook until the platform says which message it has become."""
        response = await self._post(name, told)
        if response.status_code >= 300:
            return response
        id_, path = told[0], self._messengers.hook(name)
        # A provider is told nothing of what became of it; who asks by its id is.
        token = self._scene.access.token("service", "demo-messengers")
        answer: dict[str, Any] = {}
        while not answer.get("conversation_id"):
            response = await self._scene.access.call(
                "GET", f"{path}/messages/{quote(id_, safe='')}", token=token
            )
            if response.status_code != 200:
                return response
            answer = response.json()
            if not answer.get("conversation_id"):
                await asyncio.sleep(0.2)
        self.conversation_id = answer["conversation_id"]
        return response

    def hang_up(self) -> None:
        return


class PhoneLine(MessengerLine):
    """A call that is left on the voicemail or that nobody takes; the answer comes by SMS, and so does what follows it."""

    def __init__(self, scene: Scene, story: Story, tell: Callable[[Entry], None]) -> None:
        super().__init__(scene, story, tell)
        self._answered = False

    def _read(self, text: str) -> None:
        self._answered = True
        super()._read(text)

    async def send(self, text: str, key: str) -> httpx.Response:
        if self._answered:
            told = self._messengers.webhook(ANSWERS_TO_CALLS, self._person, text)
            return await self._tell_of(ANSWERS_TO_CALLS, told)
        rings, said = self._messengers.call(self._person, text)
        response = await self._post(CALLS, rings)
        return response if response.status_code >= 300 else await self._tell_of(CALLS, said)


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text.lower()).encode("ascii", "ignore").decode()
    return _NOT_PLAIN.sub("-", folded).strip("-")[-40:] or "somebody"
