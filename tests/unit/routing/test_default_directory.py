"""What a fresh installation routes by: no channel is left without anybody who may take it."""

from libs.contracts import Channel
from services.routing.workers import default_directory


def test_every_channel_has_a_place_in_the_default_capacity() -> None:
    """A channel without a weight is offered to nobody, and its conversations wait for ever."""
    published = {name.removeprefix("CHANNEL_").lower() for name in Channel.DESCRIPTOR.values_by_name} - {
        "unspecified"
    }
    for capacity in default_directory().capacities:
        assert {one.channel for one in capacity.channels} >= published
