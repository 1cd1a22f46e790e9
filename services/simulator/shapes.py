"""Every provider that is played, by name."""

from collections.abc import Mapping
from typing import Final

from services.simulator.messengers import Line, Telegram, Viber
from services.simulator.meta import Messaging, WhatsAppCloud
from services.simulator.shape import Payload, Shape
from services.simulator.twilio import Twilio, TwilioVoice

__all__ = ["SHAPES", "Payload", "Shape"]

SHAPES: Final[Mapping[str, Shape]] = {
    shape.name: shape
    for shape in (
        Twilio("twilio-sms", "sms", ""),
        Twilio("twilio-whatsapp", "whatsapp", "whatsapp:"),
        TwilioVoice(),
        WhatsAppCloud(),
        Messaging("messenger", "page"),
        Messaging("instagram", "instagram"),
        Telegram(),
        Line(),
        Viber(),
    )
}
