"""Payloads are kept whole for a week, and read again once a fault in their reading is mended: any number of times, to the
same end."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from libs.storage import Database, FolderBlobs, fetch_all
from services.ingest.accounts import Accounts, ChannelAccount
from services.ingest.adapters.channels.port import ChannelAdapter, Hook
from services.ingest.adapters.channels.registry import adapters
from services.ingest.adapters.channels.whatsapp import WhatsAppCloud
from services.ingest.adapters.desk import Desk
from services.ingest.adapters.keys import load_keys
from services.ingest.adapters.raw_writer import RawWriter
from services.ingest.domain.channels import ChannelMessage, Item, StatusNews
from services.ingest.domain.model import ChannelName
from services.ingest.operations.renormalising import Outcome, Renormaliser
from services.ingest.settings import IngestSettings
from services.ingest.workers.retention import RawRetention
from services.simulator import SHAPES, Payload
from tests.service.ingest.mails import mail, post_mail
from tests.service.ingest.test_files import PNG, with_files
from tests.service.ingest.test_provider_channels import PERSON, account, ingesting, post
from tests.support.harness import ServiceUnderTest

DAY_MS = 86_400_000
CALLED = {"type": "text", "text": {"body": "(call)"}}
MAILBOX = ChannelAccount(channel=ChannelName.MAIL, address="support@localhost.localdomain")
WHATSAPP = SHAPES["whatsapp-cloud"]


class Mended(WhatsAppCloud):
    """Reads holograms, and finds calls that the old rules overlooked."""

    def split(self, hook: Hook) -> Sequence[Item]:
        calls = [
            Item(f"call:{call['id']}", str(call["from"]), {"message": {**call, **CALLED}})
            for entry in json.loads(hook.body).get("entry", [])
            for change in entry.get("changes", [])
            for call in change["value"].get("calls", [])
        ]
        return [*super().split(hook), *calls]

    def read(self, item: Mapping[str, object]) -> Sequence[ChannelMessage | StatusNews]:
        message: Any = item.get("message")
        if message is not None and message["type"] == "hologram":
            return [ChannelMessage(str(message["id"]), str(message["from"]), "(hologram)")]
        return super().read(item)


def mended(service: ServiceUnderTest, *, better: bool = True) -> Renormaliser:
    known: dict[str, ChannelAdapter] = dict(adapters())
    if better:
        known["whatsapp-cloud"] = Mended()
    sealer, signer = load_keys(service.data, "", "")
    database: Database = service.database
    blobs = FolderBlobs(service.data / "attachments")
    accounts = Accounts((account("whatsapp-cloud"),))
    desk = Desk(database, sealer, signer, accounts, known, blobs)
    return Renormaliser(
        database, desk, known, sealer, RawWriter(database, most_pending=100, group_rows=10), blobs
    )


def call(id_: str) -> Payload:
    value = {"messaging_product": "whatsapp", "calls": [{"id": id_, "from": PERSON}]}
    body = {"entry": [{"changes": [{"field": "calls", "value": value}]}]}
    return Payload(json.dumps(body).encode(), "application/json")


async def texts(service: ServiceUnderTest) -> list[str]:
    await service.settle()
    statement = "SELECT text FROM ingest.thread_entries ORDER BY conversation_id, entry_seq"
    async with service.database.read() as connection:
        return [text for (text,) in await fetch_all(connection, statement)]


async def test_what_was_overlooked_or_misread_is_mended_once_and_nothing_else_changes() -> None:
    async with ingesting(account("whatsapp-cloud")) as service:
        await post(service, "whatsapp-cloud", WHATSAPP.message(1, PERSON, "hello"))
        await post(service, "whatsapp-cloud", WHATSAPP.strange(2, PERSON))
        await post(service, "whatsapp-cloud", call("c1"))
        status = WHATSAPP.status("wamid.out", PERSON, "delivered")
        assert status is not None
        await post(service, "whatsapp-cloud", status)
        assert await texts(service) == ["hello", "(unsupported message: hologram)"]
        same = await mended(service, better=False).run(0)
        assert (same.found, same.again, same.corrected, same.unreadable) == (0, 0, 0, 0)
        assert same.looked_at == await mended(service).total(0) == 8
        seen: list[Outcome] = []
        outcome = await mended(service).run(0, seen.append)
        assert (outcome.found, outcome.corrected, outcome.unreadable) == (1, 1, 0)
        assert seen[-1] == outcome
        assert await texts(service) == ["hello", "(hologram)", "(call)"]
        for _ in range(2):
            again = await mended(service).run(0)
            assert (again.found, again.again, again.corrected) == (0, 0, 0)
        assert await texts(service) == ["hello", "(hologram)", "(call)"]
        received = await service.events("MessageReceived")
        assert [event.message_seq for event in received] == [1, 2, 3]


async def test_a_payload_that_died_becomes_a_message_once_even_when_it_is_put_on_its_way_twice() -> None:
    async with ingesting(account("whatsapp-cloud")) as service:
        # As if its provider had been unknown to the normaliser: nothing has come of it.
        await post(service, "whatsapp-cloud", WHATSAPP.message(1, PERSON, "one"))
        await service.settle()
        async with service.database.begin() as uow:
            for table in ("thread_entries", "threads", "customers", "identities"):
                await fetch_all(uow.connection, f"DELETE FROM ingest.{table} RETURNING 1")
            await uow.commit()
        first, second = await mended(service).run(0), await mended(service).run(0)
        assert (first.again, second.again) == (1, 1)
        assert await texts(service) == ["one"]
        assert (await mended(service).run(0)).again == 0


async def test_files_that_were_not_found_in_a_mail_are_added_to_it() -> None:
    async with ingesting(account("whatsapp-cloud"), MAILBOX) as service:
        async with service.client("service", "shop") as backend:
            await post_mail(backend, with_files(("a.png", "image/png", PNG), ("b.png", "image/png", PNG)))
            await post_mail(backend, mail("plain"))
        await service.settle()
        async with service.database.begin() as uow:
            await fetch_all(uow.connection, "DELETE FROM ingest.attachments WHERE position = 1 RETURNING 1")
            await uow.commit()
        assert (await mended(service).run(0)).corrected == 1
        assert (await mended(service).run(0)).corrected == 0
        async with service.database.read() as connection:
            found = await fetch_all(connection, "SELECT position FROM ingest.attachments ORDER BY position")
        assert found == [(0,), (1,)]


async def test_whole_webhooks_are_sealed_and_leave_after_a_week() -> None:
    async with ingesting(account("whatsapp-cloud")) as service:
        for _ in range(3):
            await post(service, "whatsapp-cloud", WHATSAPP.message(1, PERSON, "Dov'è? 😀"))
        async with service.database.read() as connection:
            [(payload,)] = await fetch_all(connection, "SELECT payload FROM ingest.raw_hooks")
        assert b"wamid" not in payload
        assert PERSON.encode() not in payload
        retention = RawRetention(service.database, IngestSettings())
        await retention.sweep()
        async with service.database.read() as connection:
            assert await fetch_all(connection, "SELECT count(*) FROM ingest.raw_hooks") == [(1,)]
        service.clock.advance(8 * DAY_MS)
        await service.settle()
        await retention.sweep()
        async with service.database.read() as connection:
            assert await fetch_all(connection, "SELECT count(*) FROM ingest.raw_hooks") == [(0,)]


async def test_payloads_whose_key_is_gone_are_counted_and_left() -> None:
    async with ingesting(account("whatsapp-cloud")) as service:
        await post(service, "whatsapp-cloud", WHATSAPP.message(1, PERSON, "one"))
        await service.settle()
        (service.data / "ingest-keys.json").unlink()
        outcome = await mended(service).run(0)
        assert (outcome.looked_at, outcome.unreadable, outcome.again) == (2, 2, 0)
        assert await texts(service) == ["one"]
