"""What is answered reaches the customer: by mail or in their thread, once, and after every failure that passes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from libs.contracts import SurveyCancelled, SurveyRequested
from libs.storage import execute, fetch_all
from libs.web import Broadcast
from services.ingest.accounts import ChannelAccount
from services.ingest.adapters.keys import Signer
from services.ingest.adapters.signals import Signals
from services.ingest.adapters.smtp import SmtpMailer
from services.ingest.adapters.tables import DELIVERIES
from services.ingest.domain.deliveries import Delivery
from services.ingest.domain.model import ChannelName
from services.ingest.ports import Mailer, OutgoingMail
from services.ingest.service import definition
from services.ingest.settings import IngestSettings
from services.ingest.workers.sending import Sender
from tests.service.ingest.conftest import bearer, converse
from tests.service.ingest.mails import mail, post_mail
from tests.service.ingest.sinks import MailSink, SurveySink, mail_sink
from tests.service.ingest.test_threads import reply
from tests.support.harness import ServiceUnderTest, running


class NoLinks:
    """For senders that send no surveys."""

    async def link(self, invitation_id: str) -> str:
        raise AssertionError(invitation_id)


@pytest.fixture
def survey() -> SurveySink:
    return SurveySink()


@pytest.fixture
async def sink() -> AsyncIterator[MailSink]:
    async with mail_sink() as made:
        yield made


@asynccontextmanager
async def ingesting(sink: MailSink, survey: SurveySink, **options: Any) -> AsyncIterator[ServiceUnderTest]:
    fields = {
        "smtp_host": "127.0.0.1",
        "smtp_port": sink.port,
        "delivery_poll_ms": 20,
        "accounts": (
            ChannelAccount(channel=ChannelName.CHAT),
            ChannelAccount(channel=ChannelName.MAIL, address="help@shop.example"),
        ),
        **options,
    }
    async with running(definition, IngestSettings(**fields), peers={"survey": survey.app}) as service:
        yield service


@pytest.fixture
async def ingest(sink: MailSink, survey: SurveySink) -> AsyncIterator[ServiceUnderTest]:
    async with ingesting(sink, survey) as service:
        yield service


async def open_mail(ingest: ServiceUnderTest, **fields: Any) -> Any:
    async with ingest.client("service", "mta") as client:
        answer = await post_mail(client, mail(**fields))
        assert answer.status_code == 202
        await ingest.settle()
    return (await ingest.events("MessageReceived"))[-1]


async def until(ingest: ServiceUnderTest, name: str, count: int = 1) -> list[Any]:
    """The events of a name, once there are so many."""
    async with asyncio.timeout(30):
        while len(found := await ingest.events(name)) < count:
            await asyncio.sleep(0.01)
    return found


async def states(ingest: ServiceUnderTest) -> list[tuple[Any, ...]]:
    async with ingest.database.read() as connection:
        return await fetch_all(
            connection,
            "SELECT state, attempts, possibly_twice, reason FROM ingest.deliveries ORDER BY created_at_ms",
        )


async def until_attempts(ingest: ServiceUnderTest, count: int) -> None:
    async with asyncio.timeout(30):
        while not (rows := await states(ingest)) or rows[0][0] != "waiting" or rows[0][1] < count:
            await asyncio.sleep(0.01)


async def test_a_reply_goes_out_by_mail_and_its_answer_comes_back(
    ingest: ServiceUnderTest, sink: MailSink
) -> None:
    first = await open_mail(ingest, subject="Città e\tpacchi", message_id="<1@example.org>")
    await ingest.publish(reply(first.conversation_id, text="It is on its way.\nAnna — 你好"))
    await ingest.settle()
    [delivered] = await until(ingest, "MessageDelivered")
    assert (delivered.source_id, delivered.attempts, delivered.possibly_twice) == ("reply-1", 1, False)
    [sent] = sink.mails
    assert b"\r\nMessage-ID: <c." in sink.raw[0], "an id that is folded or encoded is not read back by others"
    assert sent["To"] == "ada@example.org"
    assert sent["From"] == "help@shop.example"
    assert sent["Subject"] == f"Re: Città e pacchi [{first.case_reference}]"
    assert sent["In-Reply-To"] == "<1@example.org>"
    assert sent["Auto-Submitted"] is None
    assert sent.get_content().replace("\r\n", "\n").strip() == "It is on its way.\nAnna — 你好"
    for number, headers in enumerate(
        ({"In_Reply_To": str(sent["Message-ID"])}, {"to": str(sent["Reply-To"])}), 2
    ):
        again = await open_mail(
            ingest, text="thanks", subject="x", message_id=f"<{number}@example.org>", **headers
        )
        assert (again.conversation_id, again.message_seq) == (first.conversation_id, number)


async def test_an_automatic_reply_says_so(ingest: ServiceUnderTest, sink: MailSink) -> None:
    first = await open_mail(ingest)
    await ingest.publish(reply(first.conversation_id, human=False))
    await ingest.settle()
    await until(ingest, "MessageDelivered")
    assert sink.mails[0]["Auto-Submitted"] == "auto-generated"
    assert sink.mails[0]["X-Auto-Response-Suppress"] == "All"


async def test_what_fails_for_now_is_tried_again_later(ingest: ServiceUnderTest, sink: MailSink) -> None:
    sink.answers = ["451 busy", "421 later"]
    first = await open_mail(ingest)
    await ingest.publish(reply(first.conversation_id))
    await ingest.settle()
    await until_attempts(ingest, 1)
    await asyncio.sleep(0.2)
    assert (await states(ingest))[0][1] == 1, "not before its pause has passed"
    ingest.clock.advance(5_000)
    await until_attempts(ingest, 2)
    ingest.clock.advance(10_000)
    [delivered] = await until(ingest, "MessageDelivered")
    assert delivered.attempts == 3
    assert len(sink.mails) == 1


async def test_what_is_refused_has_failed_and_says_why(ingest: ServiceUnderTest, sink: MailSink) -> None:
    sink.answers = ["550 no such mailbox"]
    first = await open_mail(ingest)
    await ingest.publish(reply(first.conversation_id))
    await ingest.settle()
    [failed] = await until(ingest, "DeliveryFailed")
    assert (failed.source_id, failed.attempts) == ("reply-1", 1)
    assert "550" in failed.reason
    assert (await states(ingest))[0][0] == "failed"


async def test_after_so_many_attempts_it_has_failed(sink: MailSink, survey: SurveySink) -> None:
    sink.answers = ["451 busy"] * 9
    async with ingesting(sink, survey, delivery_attempts=2) as ingest:
        first = await open_mail(ingest)
        await ingest.publish(reply(first.conversation_id))
        await ingest.settle()
        await until_attempts(ingest, 1)
        ingest.clock.advance(5_000)
        [failed] = await until(ingest, "DeliveryFailed")
        assert failed.attempts == 2


async def test_a_server_that_is_away_costs_no_mail(sink: MailSink, survey: SurveySink) -> None:
    async with ingesting(sink, survey, smtp_port=9) as ingest:
        first = await open_mail(ingest)
        await ingest.publish(reply(first.conversation_id))
        await ingest.settle()
        await until_attempts(ingest, 1)
        assert await ingest.events("DeliveryFailed") == []


async def test_without_a_mail_server_the_agent_is_told_at_once(sink: MailSink, survey: SurveySink) -> None:
    async with ingesting(sink, survey, smtp_host="") as ingest:
        first = await open_mail(ingest)
        await ingest.publish(reply(first.conversation_id))
        await ingest.settle()
        [failed] = await until(ingest, "DeliveryFailed")
        assert "CENTRALINO_INGEST_SMTP_HOST" in failed.reason


async def test_a_crash_while_sending_sends_the_same_mail_again(
    ingest: ServiceUnderTest, sink: MailSink
) -> None:
    first = await open_mail(ingest)
    await ingest.publish(reply(first.conversation_id))
    await ingest.settle()
    await until(ingest, "MessageDelivered")
    async with ingest.database.begin() as uow:
        due = ingest.clock.now_ms() + 60_000
        await execute(
            uow.connection, "UPDATE ingest.deliveries SET state = 'attempting', due_at_ms = $1", due
        )
        await uow.commit()
    await asyncio.sleep(0.2)
    assert len(sink.mails) == 1, "its lease has not ended"
    ingest.clock.advance(60_000)
    _, again = await until(ingest, "MessageDelivered", 2)
    assert again.possibly_twice
    assert sink.mails[0]["Message-ID"] == sink.mails[1]["Message-ID"]


async def test_two_senders_share_the_work(ingest: ServiceUnderTest, sink: MailSink) -> None:
    settings = IngestSettings(
        smtp_host="127.0.0.1",
        smtp_port=sink.port,
        accounts=(ChannelAccount(channel=ChannelName.MAIL, address="help@shop.example"),),
    )
    others = [
        Sender(
            ingest.database,
            settings,
            Signals(Broadcast()),
            Signer(b"k"),
            SmtpMailer(settings),
            NoLinks(),
            lane="mail",
        )
        for _ in range(4)
    ]
    first = await open_mail(ingest)
    await ingest.publish(*[reply(first.conversation_id, number) for number in range(30)])
    settling = asyncio.create_task(ingest.settle())
    while not settling.done():
        await asyncio.gather(*[other.round() for other in others])
    delivered = await until(ingest, "MessageDelivered", 30)
    assert len({event.source_id for event in delivered}) == 30
    assert len(sink.mails) == 30


class SlowMailer:
    """Takes so long over a mail that something else happens meanwhile."""

    def __init__(self, meanwhile: Callable[[], Awaitable[object]]) -> None:
        self.meanwhile = meanwhile

    async def send(self, mail: OutgoingMail) -> None:
        await self.meanwhile()


async def test_who_sleeps_over_their_lease_records_nothing() -> None:
    async with running(definition, tasks=False) as ingest:
        settings = IngestSettings(
            accounts=(ChannelAccount(channel=ChannelName.MAIL, address="help@shop.example"),)
        )
        first = await open_mail(ingest)

        def sender(mailer: Mailer) -> Sender:
            return Sender(
                ingest.database, settings, Signals(Broadcast()), Signer(b"k"), mailer, NoLinks(), lane="mail"
            )

        async def nothing() -> None:
            return

        async def another_owner() -> None:
            ingest.clock.advance(settings.delivery_lease_ms)
            await sender(SlowMailer(nothing)).round()

        async with ingest.database.begin() as uow:
            uow.rows(DELIVERIES).put(waiting_mail(first.conversation_id, ingest.clock.now_ms()))
            await uow.commit()
        await sender(SlowMailer(another_owner)).round()
        [delivered] = await ingest.events("MessageDelivered")
        assert (delivered.attempts, delivered.possibly_twice) == (2, True)


def waiting_mail(conversation_id: str, now_ms: int) -> Delivery:
    return Delivery(
        "d-1",
        conversation_id,
        "reply-1",
        "reply",
        "mail",
        "text",
        False,
        "waiting",
        0,
        now_ms,
        False,
        "",
        now_ms,
        0,
    )


def invitation(conversation_id: str, **fields: Any) -> SurveyRequested:
    values = {
        "invitation_id": "inv-1",
        "conversation_id": conversation_id,
        "episode": 1,
        "text": "How was it? {link} Thanks",
    }
    return SurveyRequested(**{**values, **fields})


async def test_a_survey_stands_in_the_customers_chat(ingest: ServiceUnderTest, survey: SurveySink) -> None:
    survey.statuses = [503]
    async with ingest.client(None) as visitor:
        state = await converse(ingest, visitor)
        await ingest.publish(invitation(state["conversation_id"]))
        await ingest.settle()
        await until_attempts(ingest, 1)
        ingest.clock.advance(5_000)
        [delivered] = await until(ingest, "MessageDelivered")
        assert delivered.source_id == "inv-1"
        path = f"/v1/conversations/{state['conversation_id']}/messages"
        entries = (await visitor.get(path, headers=bearer(state["visitor_token"]))).json()["items"]
    assert [(e["kind"], e["text"]) for e in entries[1:]] == [
        ("survey", "How was it? https://shop.example/s/inv-1 Thanks")
    ]


async def test_a_survey_goes_by_mail_to_who_wrote_by_mail(ingest: ServiceUnderTest, sink: MailSink) -> None:
    first = await open_mail(ingest)
    await ingest.publish(invitation(first.conversation_id))
    await ingest.settle()
    await until(ingest, "MessageDelivered")
    [sent] = sink.mails
    assert "https://shop.example/s/inv-1" in sent.get_content()
    assert sent["Auto-Submitted"] == "auto-generated"


async def test_a_survey_that_is_closed_is_not_sent(
    ingest: ServiceUnderTest, survey: SurveySink, sink: MailSink
) -> None:
    survey.statuses = [410]
    first = await open_mail(ingest)
    await ingest.publish(invitation(first.conversation_id))
    await ingest.settle()
    async with asyncio.timeout(30):
        while (await states(ingest))[0][0] != "cancelled":
            await asyncio.sleep(0.01)
    assert sink.mails == []


async def test_a_cancelled_survey_is_not_sent(
    ingest: ServiceUnderTest, survey: SurveySink, sink: MailSink
) -> None:
    survey.statuses = [503] * 3
    first = await open_mail(ingest)
    await ingest.publish(invitation(first.conversation_id))
    await ingest.settle()
    await until_attempts(ingest, 1)
    await ingest.publish(
        SurveyCancelled(invitation_id="inv-1", conversation_id=first.conversation_id, reason="reopened")
    )
    await ingest.settle()
    assert (await states(ingest))[0][0] == "cancelled"
    ingest.clock.advance(3_600_000)
    await asyncio.sleep(0.2)
    assert sink.mails == []


async def test_a_reply_to_nothing_known_has_failed_and_says_why(ingest: ServiceUnderTest) -> None:
    await ingest.publish(reply("nothing"), invitation("nothing"))
    await ingest.settle()
    failed = await ingest.events("DeliveryFailed")
    assert {event.source_id for event in failed} == {"reply-1", "inv-1"}
    assert all("does not know this conversation" in event.reason for event in failed)


async def test_sources_of_chat_need_no_sender(ingest: ServiceUnderTest, visitor: httpx.AsyncClient) -> None:
    state = await converse(ingest, visitor)
    await ingest.publish(reply(state["conversation_id"]))
    await ingest.settle()
    assert len(await ingest.events("MessageDelivered")) == 1
    assert await states(ingest) == []


async def test_machines_that_answer_each_other_fall_silent_and_a_person_may_still_answer(
    sink: MailSink, survey: SurveySink
) -> None:
    async with ingesting(sink, survey, auto_replies_per_day=2) as ingest:
        received = await open_mail(ingest)
        for number in range(1, 4):
            await ingest.publish(reply(received.conversation_id, number, human=False))
            await ingest.settle()
        [refused] = await until(ingest, "DeliveryFailed")
        assert (refused.source_id, "RFC 3834" in refused.reason) == ("reply-3", True)
        await ingest.publish(reply(received.conversation_id, 4))
        await ingest.settle()
        await until(ingest, "MessageDelivered", 3)
        assert len(sink.mails) == 3
        ingest.clock.advance(86_400_000)
        await ingest.publish(reply(received.conversation_id, 5, human=False))
        await ingest.settle()
        await until(ingest, "MessageDelivered", 4)


async def test_a_mail_server_that_does_not_answer_is_left_alone_for_a_while(
    sink: MailSink, survey: SurveySink
) -> None:
    """Five connections that fail are enough to know it: what waits then is not tried, and loses none of its attempts."""
    async with ingesting(sink, survey, smtp_port=1, delivery_attempts=9) as ingest:
        received = await open_mail(ingest)
        for number in range(1, 9):
            await ingest.publish(reply(received.conversation_id, number))
        await ingest.settle()
        async with asyncio.timeout(20):
            while True:
                async with ingest.database.read() as connection:
                    found = await fetch_all(connection, "SELECT attempts, reason FROM ingest.deliveries")
                if len(found) == 8 and all(reason for _, reason in found):
                    break
                await asyncio.sleep(0.02)
        # Eight go out side by side, so those that were begun before the fifth failed are tried too.
        assert {attempts for attempts, _ in found} <= {0, 1}
        async with ingest.client("supervisor") as client:
            waiting = (await client.get("/v1/deliveries?state=waiting")).json()["items"]
        assert {one["reason"] for one in waiting} <= {
            "waits for its turn at the mail server",
            *[reason for _, reason in found],
        }
        assert await ingest.events("DeliveryFailed") == []
