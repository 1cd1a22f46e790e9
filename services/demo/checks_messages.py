"""Messages and replies against the record: each in one place, once, word for word."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from services.demo.books import Books, Difference, Kind, Written, our_conversations, same_text
from services.demo.seen import Seen, SeenMessage

_QUOTED: Final = re.compile(r"^(>|--|.{0,300}[::]\s*$)", re.MULTILINE)


def message_differences(books: Books, seen: Seen) -> Iterable[Difference]:
    """Everything that is not as recorded with what people wrote."""
    yield from _messages(books, seen)
    yield from _replies(books, seen)
    yield from _notices(seen)
    yield from _numbers(books, seen)


def _messages(books: Books, seen: Seen) -> Iterable[Difference]:
    """Every recorded message is in one conversation, once, word for word; nothing else is there."""
    places: dict[str, list[tuple[str, SeenMessage]]] = defaultdict(list)
    for conversation in seen.conversations.values():
        for message in conversation.messages:
            if message.seq:
                places[message.message_id].append((conversation.conversation_id, message))
    used: dict[str, str] = {}
    for written in books.messages.values():
        name = f"message {written.key}"
        if written.refused:
            yield Difference("wrong", f"{name} was refused: {written.refused}")
            continue
        if other := used.get(written.message_id):
            yield Difference("lost", f"{name} was taken for {other}: both are {written.message_id}")
        used[written.message_id] = name
        there = places.get(written.message_id, [])
        if not there:
            yield Difference("lost", f"{name} ({written.message_id}) is in no conversation")
        for conversation_id, _message in there[1:]:
            yield Difference("doubled", f"{name} is again in conversation {conversation_id}")
        for conversation_id, message in there[:1]:
            if not _reads(message.text, written):
                yield Difference(
                    "wrong",
                    f"{name} in {conversation_id} reads {message.text[:80]!r}, not {written.text[:80]!r}",
                )
            yield from _place(name, message, seen)
    ours = our_conversations(books, seen)
    for message_id, there in places.items():
        for conversation_id, _message in there:
            if message_id not in used and (seen.alone or conversation_id in ours):
                yield Difference(
                    "doubled", f"message {message_id} in {conversation_id} was written by nobody"
                )
    yield from _threads(books, places)


def _reads(shown: str, written: Written) -> bool:
    """Word for word; of a mail, what it quotes and its signature may be left out at the end."""
    there, wanted = same_text(shown), same_text(written.text)
    if there == wanted:
        return True
    left_out = wanted[len(there) :].lstrip()
    return written.mail and bool(there) and wanted.startswith(there) and _QUOTED.search(left_out) is not None


def _place(name: str, message: SeenMessage, seen: Seen) -> Iterable[Difference]:
    """It is part of an episode, or listed with its cause."""
    listed = seen.trailing.get(message.message_id, "")
    if message.episode is None and not listed:
        yield Difference("lost", f"{name} is in no episode and not listed among those that open nothing")
    if message.episode is not None and listed:
        yield Difference("doubled", f"{name} is in episode {message.episode} and listed as {listed}")
    if message.episode is None and listed and listed != message.trailing_cause:
        yield Difference(
            "wrong", f"{name} is listed as {listed} and shown as {message.trailing_cause or 'none'}"
        )


def _threads(books: Books, places: Mapping[str, list[tuple[str, SeenMessage]]]) -> Iterable[Difference]:
    """What one customer wrote in one thread is one conversation."""
    for story, ids in books.stories().items():
        homes = {place[0][0] for one in ids if (place := places.get(one))}
        if len(homes) > 1:
            yield Difference(
                "wrong", f"story {story} is spread over {len(homes)} conversations: {sorted(homes)}"
            )


def _replies(books: Books, seen: Seen) -> Iterable[Difference]:
    texts: dict[str, list[str]] = defaultdict(list)
    for conversation in seen.conversations.values():
        for message in conversation.messages:
            if not message.seq and not message.notice:
                texts[message.message_id].append(message.text)
    for written in books.replies.values():
        there = texts.pop(written.message_id, [])
        if not there:
            yield Difference("lost", f"reply {written.key} ({written.message_id}) is in no conversation")
        elif len(there) > 1:
            yield Difference("doubled", f"reply {written.key} is there {len(there)} times")
        elif same_text(there[0]) != same_text(written.text):
            yield Difference("wrong", f"reply {written.key} reads {there[0][:80]!r}")
    if seen.alone:
        for message_id in texts:
            yield Difference("doubled", f"reply {message_id} was written by nobody")


def _notices(seen: Seen) -> Iterable[Difference]:
    """What the platform says by itself it does not say again before the customer has written anew."""
    for conversation in seen.conversations.values():
        said: set[str] = set()
        for message in conversation.messages:
            if message.seq:
                said.clear()
            elif message.notice:
                if message.text in said:
                    yield Difference(
                        "doubled", f"notice {message.message_id} was said twice: {message.text[:80]!r}"
                    )
                said.add(message.text)


def _numbers(books: Books, seen: Seen) -> Iterable[Difference]:
    """Messages of a conversation are numbered 1, 2, 3 and so on."""
    ours = our_conversations(books, seen)
    for conversation in seen.conversations.values():
        if not seen.alone and conversation.conversation_id not in ours:
            continue
        numbers = Counter(message.seq for message in conversation.messages if message.seq)
        for number in range(1, max(numbers, default=0) + 1):
            if numbers[number] != 1:
                kind: Kind = "doubled" if numbers[number] else "lost"
                yield Difference(
                    kind,
                    f"conversation {conversation.conversation_id} has {numbers[number]} messages {number}",
                )
        if seen.alone and conversation.conversation_id not in ours:
            yield Difference("doubled", f"conversation {conversation.conversation_id} was begun by nobody")
        for episode in conversation.open_episodes:
            yield Difference("wrong", f"episode {conversation.conversation_id}:{episode} was never resolved")
