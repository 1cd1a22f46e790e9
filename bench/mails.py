"""Real raw mails from a folder: how fast they are read, and whether their threads come out, in random order.

The independent rebuild reads head lines by itself and joins a mail to the nearest one it refers to that is in the
folder, if the two are of one party: one person wrote both, the writer of one was addressed (To, Cc) by the other, or
both came by one mailing list. A mail that refers to somebody's mail without being of their party opens a conversation
of its own: that is the rule for strangers, and such replies are counted apart.
"""

import argparse
import random
import re
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench.hosts import lag, platform
from bench.report import write
from libs.web import TokenKeys, Tokens
from services.ingest.adapters.keys import Signer
from services.ingest.adapters.payloads import Origin, pack_payload, read_inbound

_ADDRESS = re.compile(r"[\w.+=$&*!%-]+@[\w.-]+")
_ID = re.compile(r"<[^<>\s]+>")


@dataclass(frozen=True)
class Head:
    """What the rebuild knows of a mail."""

    id: str
    writer: str
    addressed: frozenset[str]
    list_id: str
    refers: tuple[str, ...]


def read_head(raw: bytes) -> Head:
    """By lines and patterns alone."""
    text = raw.replace(b"\r\n", b"\n").split(b"\n\n", 1)[0].decode("latin-1")
    fields: dict[str, list[str]] = {}
    for line in re.sub(r"\n[ \t]+", " ", text).split("\n"):
        name, colon, value = line.partition(":")
        if colon and " " not in name:
            fields.setdefault(name.lower(), []).append(value.strip())

    def first(name: str) -> str:
        return fields.get(name, [""])[0]

    writers = [
        found.group().lower()
        for name in ("from", "sender", "reply-to")
        if (found := _last_address(first(name)))
    ]
    refers = _ID.findall(first("in-reply-to"))[:1] + _ID.findall(first("references"))[::-1]
    own = _ID.search(first("message-id"))
    addressed = {
        one.lower()
        for name in ("to", "cc")
        for value in fields.get(name, [])
        for one in _ADDRESS.findall(value)
    }
    list_id = ""
    for name in ("list-id", "list-post", "mailing-list"):
        if found := re.search(r"<(?:mailto:)?([^<>\s?]+)>", first(name)) or re.search(
            r"(\S+@\S+)", first(name)
        ):
            list_id = found.group(1).lower().replace("@", ".").rstrip(";")
            break
    return Head(
        own.group() if own else "",
        writers[0] if writers else "",
        frozenset(addressed),
        list_id,
        tuple(dict.fromkeys(refers)),
    )


def _last_address(value: str) -> "re.Match[str] | None":
    bracketed = re.search(r"<([^<>]*@[^<>]*)>", value)
    return _ADDRESS.search(bracketed.group(1) if bracketed else value)


def one_party(a: Head, b: Head) -> bool:
    """The rule of the module's first lines."""
    if not a.writer or not b.writer:
        return False
    return (
        a.writer == b.writer
        or a.writer in b.addressed
        or b.writer in a.addressed
        or (a.list_id == b.list_id != "")
    )


def parse_all(raws: list[bytes]) -> tuple[list[float], list[float], int]:
    """(milliseconds of the clock, of the processor, failures), each mail as it comes from storage."""
    wall, cpu, failed, signer = [], [], 0, Signer(b"k" * 32)
    for number, raw in enumerate(raws):
        data = pack_payload(Origin("mail", "default", True), raw)
        begun, used = time.perf_counter(), time.thread_time()
        try:
            read_inbound(data, str(number), "mail", 1, signer)
        except Exception as error:  # noqa: BLE001 - every failure is one of the figures
            failed += 1
            print(f"mail {number}: {type(error).__name__}: {error}")
        wall.append((time.perf_counter() - begun) * 1000)
        cpu.append((time.thread_time() - used) * 1000)
    return wall, cpu, failed


def _client(url: str, token: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "message/rfc822"}
    return httpx.Client(base_url=url, headers=headers, timeout=60)


def send(url: str, token: str, raws: list[bytes], order: list[int]) -> tuple[dict[int, str], dict[str, str]]:
    """Posts the mails in this order, waits until all are through; asks where each went, and what goes on where."""
    ids: dict[int, str] = {}
    with _client(url, token) as client:
        for number in order:
            key = {"Idempotency-Key": f"mail-{number}"}
            answer = client.post("/ingest/v1/mail", content=raws[number], headers=key)
            if answer.status_code == 202:
                ids[number] = answer.json()["message_id"]
            else:
                print(f"mail {number}: {answer.status_code} {answer.text[:200]}")
        until = time.monotonic() + 900
        while lag(url) > 0 and time.monotonic() < until:
            time.sleep(1)
        found = {}
        for number, id_ in ids.items():
            found[number] = client.get(f"/ingest/v1/messages/{id_}").json().get("conversation_id", "")
        going_on = {
            one: client.get(f"/ingest/v1/conversations/{one}").json().get("continued_as_conversation_id")
            for one in set(found.values())
            if one
        }
    return found, {one: following for one, following in going_on.items() if following}


def compare(heads: list[Head], where: dict[int, str]) -> dict[str, int]:
    """Replies whose parent is in the folder: with it, apart from it, and those of strangers."""
    by_id = {head.id: number for number, head in reversed(list(enumerate(heads))) if head.id}
    counts = {"replies": 0, "together": 0, "strangers": 0, "strangers_apart": 0, "lost": 0}
    parents = list(range(len(heads)))

    def root(number: int) -> int:
        while parents[number] != number:
            parents[number] = parents[parents[number]]
            number = parents[number]
        return number

    for number, head in enumerate(heads):
        known = [by_id[one] for one in head.refers if one in by_id and by_id[one] != number]
        if not known:
            continue
        for other in known:
            if one_party(head, heads[other]):
                parents[root(number)] = root(other)
        parent = next((one for one in known if one_party(head, heads[one])), None)
        together = parent is not None and where.get(number, "-") == where.get(parent, "+")
        if parent is None:
            counts["strangers"] += 1
            counts["strangers_apart"] += where.get(number) != where.get(known[0])
        else:
            counts["replies"] += 1
            counts["together"] += together
    # Mails that only speak of the same third one are of one thread too.
    seen: dict[str, int] = {}
    for number, head in enumerate(heads):
        for one in head.refers:
            other = seen.setdefault(one, number)
            if one_party(head, heads[other]):
                parents[root(number)] = root(other)
    groups: dict[str, set[int]] = {}
    for number, conversation in where.items():
        groups.setdefault(conversation, set()).add(root(number))
    counts["lost"] = sum(1 for conversation in where.values() if not conversation) + len(heads) - len(where)
    counts["conversations"] = len(groups)
    counts["mixed"] = sum(1 for roots in groups.values() if len(roots) > 1)
    return counts


def followed(where: dict[int, str], going_on: dict[str, str]) -> dict[int, str]:
    """Each mail in the conversation that its own goes on in."""

    def last(conversation: str) -> str:
        seen = set()
        while conversation in going_on and conversation not in seen:
            seen.add(conversation)
            conversation = going_on[conversation]
        return conversation

    return {number: last(conversation) for number, conversation in where.items()}


def measure(folder: Path, seed: int, most: int) -> None:
    paths = sorted(path for path in folder.rglob("*.txt") if path.is_file())[: most or None]
    if not paths:
        raise SystemExit(f"{folder} holds no *.txt mails; give the folder of raw mails, one a file")
    raws = [path.read_bytes() for path in paths]
    wall, cpu, failed = parse_all(raws)
    order = list(range(len(raws)))
    random.Random(seed).shuffle(order)
    with platform() as (url, data):
        token = Tokens(TokenKeys.load_or_create(data / "token-keys.json")).issue("bench", "service", 7200)
        begun = time.monotonic()
        where, going_on = send(url, token, raws, order)
        seconds = time.monotonic() - begun
    heads = [read_head(raw) for raw in raws]
    counts, apart = compare(heads, followed(where, going_on)), compare(heads, where)
    p99 = [statistics.quantiles(values, n=100)[98] for values in (wall, cpu)]
    write(
        "mails",
        f"{len(raws):,} real raw mails, in random order through the whole line",
        f"python -m bench.mails FOLDER --seed {seed}",
        ["what", "figure", "goal"],
        [
            ["mails that failed to be read", str(failed), "0"],
            ["p50 of reading one, ms", f"{statistics.median(wall):.1f}", ""],
            ["p99 of reading one, ms (of the processor)", f"{p99[0]:.1f} ({p99[1]:.1f})", "20"],
            ["mails without a conversation at the end", str(counts["lost"]), "0"],
            ["replies whose parent is there, of one party", f"{counts['replies']:,}", ""],
            [
                "of them in the very conversation of the parent",
                f"{apart['together'] / max(1, apart['replies']):.2%}",
                "",
            ],
            [
                "of them there or in one that goes on in it",
                f"{counts['together'] / max(1, counts['replies']):.2%}",
                "98 %",
            ],
            [
                "replies of strangers, apart by the rule",
                f"{counts['strangers_apart']:,} of {counts['strangers']:,}",
                "",
            ],
            [
                "conversations, of them with mails of several threads",
                f"{counts['conversations']:,}, {counts['mixed']:,}",
                "",
            ],
            ["seconds until all were through", f"{seconds:.0f}", ""],
        ],
        (__doc__ or "").split("\n\n", 1)[1].strip().replace("\n", " "),
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--most", type=int, default=0, help="only the first so many, 0 for all")
    given = parser.parse_args()
    measure(given.folder, given.seed, given.most)
