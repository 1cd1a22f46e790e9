"""Every channel there is, by the name of its provider."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from services.ingest.accounts import Accounts
from services.ingest.adapters.channels.mapped import MappedWebhook
from services.ingest.adapters.channels.mapping import read_mapping
from services.ingest.adapters.channels.messaging import MetaMessaging
from services.ingest.adapters.channels.port import ChannelAdapter
from services.ingest.adapters.channels.telegram import Telegram
from services.ingest.adapters.channels.twilio import TwilioMessages, TwilioVoice
from services.ingest.adapters.channels.whatsapp import WhatsAppCloud
from services.ingest.domain.model import ChannelName
from services.ingest.settings import IngestSettings

INCLUDED: Final = Path(__file__).parents[2] / "providers"
"""Files of providers that come with the platform."""


def channels_for(accounts: Accounts, settings: IngestSettings) -> Mapping[str, ChannelAdapter]:
    """The channels, after a look that every account has one. Raises ValueError."""
    known = adapters(settings.providers)
    for account in accounts.all:
        if not account.provider:
            continue
        adapter = known.get(account.provider)
        if adapter is None:
            raise ValueError(
                f"account {account.id!r} names the provider {account.provider!r}; known are {', '.join(sorted(known))}"
            )
        if adapter.channel != account.channel:
            raise ValueError(
                f"account {account.id!r} of {account.provider} is of channel {adapter.channel}, not {account.channel}"
            )
    return known


def adapters(files: Iterable[Path] = ()) -> Mapping[str, ChannelAdapter]:
    """The built-in channels, those of the included files, and those of the operator's own. Raises ValueError."""
    known: list[ChannelAdapter] = [
        TwilioMessages("twilio-sms", ChannelName.SMS),
        TwilioMessages("twilio-whatsapp", ChannelName.WHATSAPP),
        TwilioVoice(),
        WhatsAppCloud(),
        MetaMessaging("messenger", ChannelName.MESSENGER),
        MetaMessaging("instagram", ChannelName.INSTAGRAM),
        Telegram(),
    ]
    known += [MappedWebhook(read_mapping(path)) for path in (*sorted(INCLUDED.glob("*.yaml")), *files)]
    found: dict[str, ChannelAdapter] = {}
    for adapter in known:
        if adapter.kind in found:
            raise ValueError(f"two providers are called {adapter.kind!r}: rename the one in your file")
        found[adapter.kind] = adapter
    return found
