"""Episodes, outcomes and surveys against the record."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from services.demo.books import Books, Difference, Kind, Resolved, our_conversations, same_text
from services.demo.seen import Seen


def outcome_differences(books: Books, seen: Seen) -> Iterable[Difference]:
    """Everything that is not as recorded with how episodes ended."""
    yield from _outcomes(books, seen)
    yield from _surveys(books, seen)


def _outcomes(books: Books, seen: Seen) -> Iterable[Difference]:
    """Every acknowledged resolution has one outcome with revisions 1, 2, 3; every outcome has its resolution."""
    ours = our_conversations(books, seen)
    revisions: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for outcome in seen.outcomes:
        if seen.alone or outcome["conversation_id"] in ours:
            revisions[outcome["episode_id"]].append(outcome)
    resolved: dict[str, Resolved] = {}
    for one in books.resolves:
        episode_id = f"{one.conversation_id}:{one.episode}"
        if episode_id in resolved:
            yield Difference("doubled", f"episode {episode_id} was resolved twice")
        resolved[episode_id] = one
        if episode_id not in revisions:
            yield Difference("lost", f"episode {episode_id} was resolved and has no outcome")
    for episode_id, published in revisions.items():
        act = resolved.get(episode_id)
        if act is None:
            yield Difference("doubled", f"outcome {episode_id} belongs to no resolution on record")
        numbers = [outcome["revision"] for outcome in published]
        for number in range(1, max(numbers) + 1):
            times = numbers.count(number)
            if times != 1:
                kind: Kind = "doubled" if times else "lost"
                yield Difference(kind, f"outcome {episode_id} has revision {number} {times} times")
        if numbers != sorted(numbers):
            yield Difference("wrong", f"outcome {episode_id} was published in the order {numbers}")
        newest = max(published, key=lambda outcome: outcome["revision"])
        if act is not None and (newest["through_seq"], newest["resolved_by"]) != (act.through_seq, act.agent):
            yield Difference(
                "wrong",
                f"outcome {episode_id} says through {newest['through_seq']} by {newest['resolved_by']}, "
                f"recorded are {act.through_seq} by {act.agent}",
            )


def _surveys(books: Books, seen: Seen) -> Iterable[Difference]:
    """The satisfaction of a conversation's outcomes is what its customer posted, no more and no less."""
    homes = {
        message.message_id: conversation.conversation_id
        for conversation in seen.conversations.values()
        for message in conversation.messages
        if message.seq
    }
    of_story = {
        story: next((homes[one] for one in sorted(ids) if one in homes), "")
        for story, ids in books.stories().items()
    }
    posted: dict[str, Counter[int]] = defaultdict(Counter)
    comments: dict[str, Counter[str]] = defaultdict(Counter)
    for (story, _link), (score, comment) in books.answers.items():
        home = of_story.get(story, "")
        posted[home][score] += 1
        if comment:
            comments[home][same_text(comment)] += 1
    ours = our_conversations(books, seen)
    newest = {o["episode_id"]: o for o in sorted(seen.outcomes, key=lambda outcome: outcome["revision"])}
    shown: dict[str, Counter[int]] = defaultdict(Counter)
    for outcome in newest.values():
        if outcome["csat_score"] and (seen.alone or outcome["conversation_id"] in ours):
            shown[outcome["conversation_id"]][outcome["csat_score"]] += 1
    for home in sorted({*posted, *shown}):
        yield from _amounts(f"survey of {home or 'a lost conversation'}: score", posted[home], shown[home])
    yield from _invitations(seen, ours, comments, newest)


def _invitations(
    seen: Seen, ours: set[str], comments: Mapping[str, Counter[str]], newest: Mapping[str, Mapping[str, Any]]
) -> Iterable[Difference]:
    """One survey for an episode at most; its comment is what was posted, its score what the outcome says."""
    times: Counter[str] = Counter()
    there: dict[str, Counter[str]] = defaultdict(Counter)
    for one in seen.invitations:
        home, episode_id = one["conversation_id"], f"{one['conversation_id']}:{one['episode']}"
        if not seen.alone and home not in ours:
            continue
        times[episode_id] += 1
        if one["comment"]:
            there[home][same_text(one["comment"])] += 1
        told = newest.get(episode_id, {}).get("csat_score") or None
        if (one["score"] or None) != told:
            yield Difference("wrong", f"survey of {episode_id} has score {one['score']}, its outcome {told}")
    for episode_id, number in times.items():
        if number > 1:
            yield Difference("doubled", f"episode {episode_id} has {number} surveys")
    for home in sorted({*comments, *there}):
        wanted = comments.get(home, Counter())
        yield from _amounts(f"survey of {home or 'a lost conversation'}: comment", wanted, there[home])


def _amounts(what: str, wanted: Counter[Any], there: Counter[Any]) -> Iterable[Difference]:
    for value, times in (wanted - there).items():
        yield Difference("lost", f"{what} {value!r} was posted {times} times more than it is shown")
    for value, times in (there - wanted).items():
        yield Difference("doubled", f"{what} {value!r} is shown {times} times more than it was posted")
