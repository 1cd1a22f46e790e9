"""Channels as events name them."""

from typing import Final

from libs.contracts import Channel
from services.ingest.domain.model import ChannelName

CHANNELS: Final[dict[ChannelName, Channel]] = {
    name: getattr(Channel, f"CHANNEL_{name.name}") for name in ChannelName
}
