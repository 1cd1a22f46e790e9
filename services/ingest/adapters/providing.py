"""Texts go to providers: each account at its provider's rate, resting while the provider is down, by a guarded client."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from libs.runtime import Clock
from libs.web import GuardedClient, OutgoingFailed, OutgoingRefused
from services.ingest.accounts import Accounts, ChannelAccount
from services.ingest.adapters.channels.port import ChannelAdapter, Credentials, Outgoing
from services.ingest.domain.deliveries import Delivery
from services.ingest.domain.pacing import Paces
from services.ingest.domain.templates import BadValues, Filled, fill
from services.ingest.ports import SendRefused, SendUnavailable

Reveal = Callable[[ChannelAccount], Credentials]


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of it."""

    provider_id: str = ""
    pause_ms: int = 0
    """Above 0: nothing was sent, and nothing may be for so long."""


def _filled(delivery: Delivery, account: ChannelAccount) -> Filled | None:
    """The template a delivery goes as. Raises SendRefused for one that the account declares no more."""
    if not delivery.template:
        return None
    key = (delivery.template, delivery.template_language)
    template = next((one.value for one in account.templates if one.value.key == key), None)
    if template is None:
        raise SendRefused(f"account {account.id!r} declares no template {key[0]!r} in {key[1]!r} any more")
    try:
        return fill(template, dict(delivery.template_values))
    except BadValues as error:
        raise SendRefused(str(error)) from error


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
        self._paces = Paces[tuple[str, str]]()

    async def send(self, delivery: Delivery, text: str, language: str) -> Sent:
        """One attempt. Raises SendRefused or SendUnavailable."""
        account = self._accounts.find(delivery.channel, delivery.account)
        adapter = self._adapters.get(account.provider) if account else None
        if account is None or adapter is None:
            raise SendRefused(
                f"account {delivery.account!r} of channel {delivery.channel} is not configured any more"
            )
        now_ms, key = self._clock.now_ms(), (delivery.channel, delivery.account)
        if not delivery.template and 0 < delivery.window_ends_at_ms <= now_ms:
            raise SendRefused(
                f"the 24 hours in which {delivery.channel} takes free texts ended before it could be sent"
            )
        if wait_ms := self._paces.wait_ms(key, now_ms, account.rate):
            return Sent(pause_ms=wait_ms)
        outgoing = Outgoing(
            delivery.delivery_id,
            delivery.endpoint,
            text,
            language=language,
            filled=_filled(delivery, account),
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
            self._paces.heard(key, at_ms, answered=answered)
