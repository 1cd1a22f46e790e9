"""Why an act of a person is refused.

Refusal                     nothing has changed; the text is for the person who acted
├── NoOpenEpisode           nothing is open: only trailing messages, or triage has not spoken yet        409
│   └── AlreadyResolved     the episode was resolved before                                              409
├── NotTrailing             the message has opened an episode or belongs to one                         409
├── NotSeen                 the act names a customer message that does not exist yet                     422
├── ThroughTooEarly         a resolution must cover the message that opened the episode                  422
├── BadTime                 a snooze must end after now and within a year                                422
├── ChannelUnknown          the customer cannot be reached by that channel                               422
├── ChannelClosed           the provider takes no free text now, or the customer wants none              422
└── BadTemplate             no such template, or its places are filled wrongly                           422
"""


class Refusal(Exception):
    """Base of what the rules refuse."""

    slug = "refused"


class NoOpenEpisode(Refusal):
    """There is no open episode to act on."""

    slug = "no-open-episode"


class AlreadyResolved(NoOpenEpisode):
    """The episode was resolved before."""

    slug = "already-resolved"


class NotTrailing(Refusal):
    """There is nothing to open: the message belongs to an episode."""

    slug = "not-trailing"


class NotSeen(Refusal):
    """The act claims to have seen a message that is not here."""

    slug = "message-not-here"


class ThroughTooEarly(Refusal):
    """The resolution would leave out the message that opened the episode."""

    slug = "through-seq-too-low"


class BadTime(Refusal):
    """The time is not one a snooze can end at."""

    slug = "bad-time"


class ChannelUnknown(Refusal):
    """The customer has no endpoint there."""

    slug = "channel-unknown"


class ChannelClosed(Refusal):
    """Nothing can be written by it now; the text says why and what to do."""

    slug = "channel-closed"


class BadTemplate(Refusal):
    """It does not exist for the channel, or does not fit its values."""

    slug = "bad-template"
