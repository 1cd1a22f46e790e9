"""A mail server and a survey service that only listen, and fail when told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP
from fastapi import FastAPI, Response


class MailSink:
    """Keeps what it is sent."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.raw: list[bytes] = []
        self.answers: list[str] = []
        """What it says instead of taking a mail, one answer each."""
        self.port = 0

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.answers:
            return self.answers.pop(0)
        self.raw.append(envelope.content)
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"


@asynccontextmanager
async def mail_sink() -> AsyncIterator[MailSink]:
    """A sink on a port of this machine."""
    sink = MailSink()
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(sink), "127.0.0.1", 0)
    sink.port = server.sockets[0].getsockname()[1]
    try:
        yield sink
    finally:
        server.close()
        await server.wait_closed()


class SurveySink:
    """Gives links, or the status it is told."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.app = FastAPI()

        @self.app.get("/v1/invitations/{invitation_id}/link")
        async def link(invitation_id: str) -> Response:
            if self.statuses:
                return Response(status_code=self.statuses.pop(0))
            return Response('{"link": "https://shop.example/s/' + invitation_id + '"}', 200)
