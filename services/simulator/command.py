"""`centralino simulate-provider`."""

import asyncio
import json
from typing import Annotated

import httpx
import typer
from rich.console import Console

from services.simulator.provider import Faults, SimulatedProvider, serving
from services.simulator.shapes import SHAPES, Payload, Shape

_errors = Console(stderr=True)


def simulate_provider(
    name: Annotated[str, typer.Argument(help="Such as twilio-sms, whatsapp-cloud, telegram, line.")],
    url: Annotated[str, typer.Option(help="Where Centralino answers.")] = "http://127.0.0.1:8600",
    account: Annotated[str, typer.Option(help="Id of the account there.")] = "default",
    secret: Annotated[str, typer.Option(help="Signs webhooks, as in the account.")] = "simulated-secret",
    port: Annotated[int, typer.Option(help="Of the provider's own API.")] = 8700,
    messages: Annotated[int, typer.Option(min=0, help="How many customers' messages are posted.")] = 10,
    people: Annotated[int, typer.Option(min=1, help="By how many customers.")] = 3,
    busy: Annotated[float, typer.Option(min=0, max=1, help="Share of our calls answered 503.")] = 0.0,
    refused: Annotated[float, typer.Option(min=0, max=1, help="Share of our calls refused.")] = 0.0,
    doubled: Annotated[float, typer.Option(min=0, max=1, help="Share of webhooks posted twice.")] = 0.1,
    reordered: Annotated[float, typer.Option(min=0, max=1, help="Share of webhooks out of order.")] = 0.1,
    seed: Annotated[int, typer.Option(help="Of everything that is random.")] = 1,
    show_account: Annotated[
        bool, typer.Option("--show-account", help="Print the account to configure, and end.")
    ] = False,
) -> None:
    """Plays a provider: posts customers' messages, takes the answers, tells their statuses. Ends with Ctrl-C."""
    shape = SHAPES.get(name)
    if shape is None:
        raise typer.BadParameter(f"{name!r} is not played; known are {', '.join(sorted(SHAPES))}")
    if show_account:
        typer.echo(json.dumps([account_of(shape, account, secret, f"http://127.0.0.1:{port}")]))
        return
    faults = Faults(busy=busy, refused=refused, doubled=doubled, reordered=reordered)
    hook = f"{url.rstrip('/')}/ingest/v1/hooks/{name}/{account}"
    provider = SimulatedProvider(
        shape, secret, hook, faults=faults, seed=seed, statuses=("sent", "delivered", "read")
    )
    try:
        asyncio.run(_play(provider, port, messages, people))
    except KeyboardInterrupt:
        _errors.print(f"{len(provider.taken)} messages taken.")


def account_of(shape: Shape, account: str, secret: str, base_url: str) -> dict[str, object]:
    """What to configure in CENTRALINO_INGEST_ACCOUNTS; loopback has to be in CENTRALINO_INGEST_OUTGOING_ALLOWED."""
    named = {"channel": shape.channel, "provider": shape.name, "id": account, "secrets": [secret]}
    return {**named, "token": shape.token, "sender": shape.sender, "base_url": base_url}


async def _play(provider: SimulatedProvider, port: int, messages: int, people: int) -> None:
    async with serving(provider, port) as address, httpx.AsyncClient(timeout=30) as client:
        _errors.print(f"{provider.shape.name} answers at {address}; its webhooks go to {provider.hook_url}")
        told: list[Payload] = [
            provider.shape.message(
                number, f"3933300000{number % people:02d}", f"Message {number}: where is my order?"
            )
            for number in range(1, messages + 1)
        ]
        refused = await provider.post(client, told)
        _errors.print(f"{messages - refused} of {messages} messages are taken.")
        seen = 0
        while True:
            await asyncio.sleep(0.2)
            for recipient, text in provider.taken[seen:]:
                typer.echo(f"{recipient}\t{text}")
            seen = len(provider.taken)
