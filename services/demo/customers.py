"""A simulated customer: lives one story, from the first message to the survey."""

import asyncio
from collections import deque
from urllib.parse import urlsplit

from services.demo.access import Refused
from services.demo.lines import Line, line_of
from services.demo.scene import Scene
from services.demo.stories import Story, Turn
from services.demo.threads import Entry, Watcher


class Customer:
    """One story. `done` says that nothing more comes from this customer unless the platform acts first."""

    def __init__(self, scene: Scene, watcher: Watcher, story: Story) -> None:
        self.story = story
        self.done = False
        self._scene = scene
        self._draw = scene.chance(story.story_id)
        self._news: asyncio.Queue[Entry] = asyncio.Queue()
        self._line: Line = line_of(scene, watcher, story, self._news.put_nowait)
        self._left: deque[Turn] = deque(story.turns)
        self._sent = 0
        self._rated: set[str] = set()

    @property
    def conversation_id(self) -> str:
        """The conversation, empty until it is known."""
        return self._line.conversation_id

    async def live(self) -> None:
        """Writes, waits, answers and rates until cancelled, or until the story is told and the survey answered."""
        try:
            await self._say_next()
            while self._left or (self.story.rating is not None and not self._rated):
                self.done = True
                entry = await self._news.get()
                self.done = False
                if entry.kind == "survey":
                    await self._rate(entry.link)
                elif entry.kind == "reply" and self._left and self._left[0].when == "reply":
                    await asyncio.sleep(self._scene.pace.draw("reply", self._draw))
                    await self._say_next()
                elif entry.kind == "resolved" and self._left:
                    await self._come_back()
        except Refused as error:
            self._scene.trouble(str(error))
        finally:
            self.done = True
            self._line.hang_up()

    async def _come_back(self) -> None:
        await asyncio.sleep(self._scene.pace.draw("back", self._draw))
        await self._say_next()

    async def _say_next(self) -> None:
        """The next turn, and the burst that follows it."""
        await self._say(self._left.popleft().text)
        while self._left and self._left[0].when == "burst":
            await asyncio.sleep(self._scene.pace.draw("burst", self._draw))
            await self._say(self._left.popleft().text)

    async def _say(self, text: str) -> None:
        key = f"{self._scene.run}:{self.story.story_id}:{self._sent}"
        self._sent += 1
        await self._scene.record.write(
            "message", key=key, story=self.story.story_id, channel=self.story.channel, text=text
        )
        response = await self._line.send(text, key)
        known = {}
        if response.status_code < 300:
            known = {"message_id": response.json()["message_id"], "conversation_id": self.conversation_id}
            self._scene.accepted[known["message_id"]] = self.conversation_id
            self._scene.counts["messages"] += 1
        await self._scene.record.write("message_answer", key=key, status=response.status_code, **known)
        if response.status_code >= 300:
            raise Refused(response, "writing a message")

    async def _rate(self, link: str) -> None:
        """Answers the survey as its page does, if this customer answers surveys at all; the first one only."""
        if self.story.rating is None or self._rated:
            self._rated.add(link)
            return
        self._rated.add(link)
        await asyncio.sleep(self._scene.pace.draw("rate", self._draw))
        key = self._scene.key(self.story.story_id)
        score, comment = self.story.rating, self.story.comment
        await self._scene.record.write(
            "survey", key=key, story=self.story.story_id, link=link, score=score, comment=comment
        )
        form = {"score": str(score), "comment": comment}
        response = await self._scene.access.call(
            "POST", urlsplit(link).path, data=form, headers={"Accept": "application/json"}
        )
        await self._scene.record.write("survey_answer", key=key, status=response.status_code)
        if response.status_code < 300:
            self._scene.counts["surveys"] += 1
        elif response.status_code not in (404, 410):
            raise Refused(response, "answering a survey")
