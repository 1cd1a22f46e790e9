"""The ways to a customer for who asks over HTTP, and consent as others record it."""

from dataclasses import dataclass
from typing import Final

from libs.contracts import ConsentChanged
from libs.storage import Database, fetch_all, fetch_one
from libs.web import NotFound, Unprocessable
from services.ingest.adapters.outreach_rows import consents_of
from services.ingest.adapters.tables import CONSENTS, CUSTOMERS, IDENTITIES, THREADS
from services.ingest.domain.consents import Consent, ConsentState
from services.ingest.domain.ways import Senders, Way, endpoints, ways
from services.ingest.operations.opting import changed_event

_KEYS: Final = "(channel, account, external_id) IN (SELECT * FROM unnest($1::text[], $2::text[], $3::text[]))"
_THREAD: Final = f"SELECT {THREADS.columns} FROM ingest.threads WHERE conversation_id = $1"
_CUSTOMER: Final = f"SELECT {CUSTOMERS.columns} FROM ingest.customers WHERE customer_id = $1"
_IDENTITIES: Final = f"SELECT {IDENTITIES.columns} FROM ingest.identities WHERE {_KEYS}"
_CONSENTS: Final = f"SELECT {CONSENTS.columns} FROM ingest.consents WHERE {_KEYS}"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A consent as somebody records it."""

    channel: str
    account: str
    external_id: str
    state: ConsentState
    source: str
    actor: str
    evidence: str


class Reaching:
    """By which channels customers can be written to."""

    def __init__(self, database: Database, senders: Senders) -> None:
        self._database = database
        self._senders = senders

    async def ways(self, conversation_id: str) -> list[Way]:
        """The ways to the customer of a conversation, where an answer goes by itself first. Raises NotFound.

        Nothing is locked: an agent who looks holds up no message.
        """
        async with self._database.read() as connection:
            row = await fetch_one(connection, _THREAD, conversation_id)
            if row is None:
                raise NotFound("There is no such conversation.", slug="unknown-conversation")
            thread = THREADS.value_of(row)
            row = await fetch_one(connection, _CUSTOMER, thread.customer_id)
            keys = endpoints(thread, CUSTOMERS.value_of(row) if row else None, self._senders)
            arrays = [list(part) for part in zip(*keys, strict=True)]
            identities = [
                IDENTITIES.value_of(row) for row in await fetch_all(connection, _IDENTITIES, *arrays)
            ]
            said = [CONSENTS.value_of(row) for row in await fetch_all(connection, _CONSENTS, *arrays)]
        return ways(
            thread,
            keys,
            {(one.channel, one.account, one.external_id): one for one in identities},
            {one.row_key: one for one in said},
            self._senders,
            self._database.clock.now_ms(),
        )

    async def consents(self, customer_id: str) -> list[Consent]:
        """What is on record of a customer's endpoints."""
        async with self._database.read() as connection:
            return await consents_of(connection, customer_id)

    async def record(self, customer_id: str, recorded: Recorded) -> Consent:
        """Keeps a consent and says so. Raises NotFound for an unknown customer, Unprocessable for an unknown account."""
        async with self._database.begin() as uow:
            customers, consents = uow.rows(CUSTOMERS), uow.rows(CONSENTS)
            await customers.load([customer_id])
            if customers.get(customer_id) is None:
                raise NotFound("There is no such customer.", slug="unknown-customer")
            if self._senders.find(recorded.channel, recorded.account) is None:
                raise Unprocessable(
                    f"There is no account {recorded.account!r} of channel {recorded.channel}.",
                    slug="unknown-account",
                )
            key = (recorded.channel, recorded.account, recorded.external_id)
            await consents.load([key])
            known = consents.get(key)
            if known is not None and known.customer_id != customer_id:
                raise Unprocessable(
                    f"{recorded.external_id} of {recorded.channel} is another customer's.",
                    slug="another-customers-endpoint",
                )
            if known is not None and known.state == recorded.state:
                return known
            consent = Consent(
                *key,
                customer_id,
                recorded.state,
                recorded.source,
                recorded.actor,
                recorded.evidence,
                uow.now_ms,
            )
            consents.put(consent)
            event: ConsentChanged = changed_event(consent)
            uow.emit(event)
            await uow.commit()
        return consent
