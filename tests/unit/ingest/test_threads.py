"""Messages are numbered without gaps, and resolutions mean the same in any order of arrival."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from services.ingest.domain.model import ChannelName, EntryKind, Inbound, Thread
from services.ingest.domain.threads import (
    HOPS,
    add_entry,
    add_message,
    choose,
    newest,
    open_episode,
    open_thread,
    resolve,
    takes,
)

DAY_MS = 86_400_000


def inbound(**fields: object) -> Inbound:
    message = Inbound("m", ChannelName.CHAT, "default", 1_000, "Hello", None)
    return replace(message, **fields)  # type: ignore[arg-type]  # fields of the dataclass


def thread(conversation_id: str = "c", **fields: object) -> Thread:
    opened = open_thread(inbound(), conversation_id, "customer", "ABC-12345")
    return replace(opened, **fields)  # type: ignore[arg-type]  # fields of the dataclass


@given(st.lists(st.sampled_from(["message", "reply", "resolved", "reopened"]), max_size=40))
def test_numbers_are_dense_whatever_happens_between(steps: list[str]) -> None:
    current, entries, episode = thread(), [], 1
    for number, step in enumerate(steps):
        if step == "message":
            current, entry = add_message(current, inbound(message_id=f"m{number}"))
            entries.append(entry)
        elif step == "reply":
            current, entry = add_entry(current, EntryKind.REPLY, "text", number, f"r{number}")
            entries.append(entry)
        elif step == "resolved":
            current = resolve(current, episode, number)
        else:
            episode += 1
            current = open_episode(current, episode)
    assert [entry.entry_seq for entry in entries] == list(range(1, len(entries) + 1))
    seqs = [entry.message_seq for entry in entries if entry.kind == EntryKind.CUSTOMER]
    assert seqs == list(range(1, len(seqs) + 1))
    assert (current.message_seq, current.entry_seq) == (len(seqs), len(entries))


@given(
    st.integers(1, 6).flatmap(
        lambda n: st.permutations(
            [*[("r", e) for e in range(1, n + 1)], *[("o", e) for e in range(2, n + 1)]]
        )
    )
)
def test_episodes_may_be_heard_of_in_any_order(events: list[tuple[str, int]]) -> None:
    current = thread()
    for kind, episode in events:
        current = resolve(current, episode, episode * 10) if kind == "r" else open_episode(current, episode)
    last = max(episode for _, episode in events)
    assert current.resolved
    assert current.resolved_at_ms == last * 10
    assert not open_episode(current, last + 1).resolved


def test_the_reopen_window_includes_its_last_millisecond() -> None:
    closed = resolve(thread(), 1, 1_000)
    assert takes(closed, 1_000 + 7 * DAY_MS, 7 * DAY_MS)
    assert not takes(closed, 1_001 + 7 * DAY_MS, 7 * DAY_MS)
    assert takes(thread(), 10**15, 7 * DAY_MS)


def test_a_message_follows_conversations_that_go_on_as_others() -> None:
    chain = {
        str(n): thread(str(n), continued_as_conversation_id=str(n + 1) if n < HOPS else "")
        for n in range(HOPS + 1)
    }
    assert newest(chain["0"], chain.get).conversation_id == str(HOPS)
    assert choose(inbound(), ["unknown", "0"], chain.get, 0)[0] == chain[str(HOPS)]


def test_two_that_go_on_as_each_other_do_not_hang() -> None:
    chain = {
        "a": thread("a", continued_as_conversation_id="b"),
        "b": thread("b", continued_as_conversation_id="a"),
    }
    assert newest(chain["a"], chain.get).conversation_id in "ab"


def test_the_strongest_evidence_counts_and_unknown_threads_do_not() -> None:
    known = {"a": thread("a"), "b": thread("b")}
    assert choose(inbound(), ["nothing", "b", "a"], known.get, 0) == (known["b"], None)
    assert choose(inbound(), ["nothing"], known.get, 0) == (None, None)


def test_answers_go_where_the_customer_last_was() -> None:
    by_mail = inbound(channel=ChannelName.MAIL, address="ada@x", mail_id="<1>")
    current, _ = add_message(thread(), by_mail)
    assert (current.channel, current.address, current.last_mail_id) == ("mail", "ada@x", "<1>")
    current, _ = add_message(current, inbound())
    assert (current.channel, current.address) == ("chat", "ada@x")


def test_a_mail_from_another_address_takes_nothing_over() -> None:
    current, _ = add_message(thread(), inbound(channel=ChannelName.MAIL, address="ada@x", account="one"))
    current, _ = add_message(current, inbound(channel=ChannelName.MAIL, address="eve@x", account="two"))
    assert (current.address, current.account, current.message_seq) == ("ada@x", "one", 2)
