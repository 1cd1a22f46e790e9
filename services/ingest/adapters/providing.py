"""Texts go to providers: each account at its provider's rate, resting while the provider is down, by a guarded client."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from libs.runtime import Clock
from libs.web import GuardedClient, OutgoingFailed, OutgoingRefused
from services.ingest.adapters.channels.port import ChannelAdapter, Credentials, Outgoing
from services.ingest.domain.deliveries import Delivery
from services.ingest.domain.pacing import Pace, fresh, heard, take
from services.ingest.ports import SendRefused, SendUnavailable
from services.ingest.settings import Accounts, ChannelAccount

Reveal = Callable[[ChannelAccount], Credentials]


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of it."""

    provider_id: str = ""
    pause_ms: int = 0
    """Above 0: nothing was sent, and nothing may be for so long."""


class Providers:
    """Sends by the accounts of providers. Use it from one event loop."""

    def __init__(
        self,
        accounts: Accounts,
        adapters: Mapping[str, ChannelAdapter],
        client: GuardedClient,
        clock: Clock,
        reveal: Reveal,
        hooks_url: str,
    ) -> None:
        self._accounts = accounts
        self._adapters = adapters
        self._client = client
        self._clock = clock
        self._reveal = reveal
        self._hooks_url = hooks_url
        self._paces: dict[tuple[str, str], Pace] = {}

    async def send(self, delivery: Delivery, text: str, language: str) -> Sent:
        """One attempt. Raises SendRefused or SendUnavailable."""
        account = self._accounts.find(delivery.channel, delivery.account)
        adapter = self._adapters.get(account.provider) if account else None
        if account is None or adapter is None:
            raise SendRefused(
                f"account {delivery.account!r} of channel {delivery.channel} is not configured any more"
            )
        now_ms, key = self._clock.now_ms(), (delivery.channel, delivery.account)
        if 0 < delivery.window_ends_at_ms <= now_ms:
            raise SendRefused(
                f"the 24 hours in which {delivery.channel} takes free texts ended before it could be sent"
            )
        rate = account.rate_per_second
        pace, wait_ms = take(self._paces.get(key) or fresh(now_ms, rate), now_ms, rate)
        self._paces[key] = pace
        if wait_ms:
            return Sent(pause_ms=wait_ms)
        outgoing = Outgoing(
            delivery.delivery_id,
            delivery.endpoint,
            text,
            language=language,
            status_url=f"{self._hooks_url}/{account.provider}/{account.id}" if self._hooks_url else "",
        )
        call = adapter.compose(outgoing, self._reveal(account))
        answered = False
        try:
            answer = await self._client.request(
                call.method, call.url, content=call.body, headers=call.headers
            )
            provider_id = adapter.outcome(answer.status, answer.body)
            answered = True
            return Sent(provider_id)
        except SendRefused:
            answered = True
            raise
        except OutgoingRefused as error:
            answered = True
            raise SendRefused(str(error)) from error
        except OutgoingFailed as error:
            raise SendUnavailable(str(error)) from error
        finally:
            at_ms = self._clock.now_ms()
            self._paces[key] = heard(self._paces[key], at_ms, answered=answered)
