"""A load generator in a process of its own: keep-alive clients that post one message after the other.

Usage: python -m bench.load URL PATH --clients 32 --seconds 60; prints one JSON object.
"""

import argparse
import asyncio
import json
import random
import time
from urllib.parse import urlsplit

import uvloop

from services.simulator import SHAPES

_WORDS = [
    "order",
    "parcel",
    "refund",
    "late",
    "where",
    "invoice",
    "card",
    "charged",
    "twice",
    "please",
    "help",
    "password",
    "broken",
    "size",
    "blue",
    "thanks",
]


def body(number: int, client: int) -> bytes:
    """A message of about 300 bytes, another sender every five messages."""
    choice = random.Random(number * 131 + client)
    text = " ".join(choice.choice(_WORDS) for _ in range(46))[:300]
    sender = {"external_id": f"load-{client}-{number // 5}", "name": "Load"}
    return json.dumps({"channel": "web", "sender": sender, "text": text}).encode()


Request = tuple[bytes, dict[str, str]]
"""(body, headers)"""


def message(number: int, client: int, run: str) -> Request:
    """A customer's message by the API."""
    return body(number, client), {"Idempotency-Key": f"{client}-{number}-{run}"}


def whatsapp(number: int, client: int, run: str) -> Request:
    """A webhook of WhatsApp Cloud with one message, signed."""
    text = json.loads(body(number, client))["text"]
    payload = _SHAPE.message(number, f"39333{client:03d}{number // 5 % 10_000:04d}", text).body
    payload = payload.replace(b'"wamid.%d"' % number, b'"wamid.%s.%d.%d"' % (run.encode(), client, number))
    return payload, dict(_SHAPE.sign(payload, "", HOOK_SECRET, 0))


HOOK_SECRET = "secret-of-the-benchmark"
_SHAPE = SHAPES["whatsapp-cloud"]
KINDS = {"message": message, "whatsapp": whatsapp}


async def one_client(
    host: str, port: int, path: str, client: int, until: float, latencies: list[float], kind: str
) -> int:
    """Posts until the time is over. Returns how many answers were not 2xx."""
    reader, writer = await asyncio.open_connection(host, port)
    number, refused = 0, 0
    while time.perf_counter() < until:
        payload, headers = KINDS[kind](number, client, f"{until:.3f}")
        fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
            f"{fields}Content-Length: {len(payload)}\r\n\r\n"
        )
        started = time.perf_counter()
        writer.write(head.encode() + payload)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1])
            for line in answer.split(b"\r\n")
            if line.lower().startswith(b"content-length")
        )
        await reader.readexactly(length)
        latencies.append(time.perf_counter() - started)
        refused += not answer.startswith(b"HTTP/1.1 2")
        number += 1
    writer.close()
    return refused


async def load(url: str, path: str, clients: int, seconds: float, kind: str = "message") -> dict[str, float]:
    parts = urlsplit(url)
    latencies: list[float] = []
    started = time.perf_counter()
    refused = await asyncio.gather(
        *(
            one_client(
                str(parts.hostname), parts.port or 80, path, client, started + seconds, latencies, kind
            )
            for client in range(clients)
        )
    )
    took = time.perf_counter() - started
    latencies.sort()
    return {
        "requests": len(latencies),
        "refused": sum(refused),
        "per_second": len(latencies) / took,
        "p50_ms": latencies[len(latencies) // 2] * 1000,
        "p99_ms": latencies[int(len(latencies) * 0.99)] * 1000,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("path")
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--kind", choices=sorted(KINDS), default="message")
    given = parser.parse_args()
    print(json.dumps(uvloop.run(load(given.url, given.path, given.clients, given.seconds, given.kind))))
