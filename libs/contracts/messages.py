"""Every message and enumeration of the contracts. Generated from proto/: do not edit."""

from libs.contracts.generated.centralino.agent.v1.conversations_pb2 import (
    ConversationCorrected,
    ConversationResolved,
    EpisodeCause,
    EpisodeOpened,
    NoteAdded,
    ReplySent,
    Status,
    StatusChanged,
    TransferRequested,
)
from libs.contracts.generated.centralino.analytics.v1.outcomes_pb2 import (
    ClockResult,
    ConversationOutcome,
    SurveyState,
)
from libs.contracts.generated.centralino.ingest.v1.customers_pb2 import CustomerIdentified, Identity
from libs.contracts.generated.centralino.ingest.v1.inbox_pb2 import PayloadAccepted
from libs.contracts.generated.centralino.ingest.v1.messages_pb2 import (
    Channel,
    ConversationContinued,
    DeliveryFailed,
    MessageDelivered,
    MessageReceived,
    Purpose,
)
from libs.contracts.generated.centralino.routing.v1.assignments_pb2 import (
    AgentAssigned,
    AgentOffered,
    OfferClosed,
    OfferOutcome,
    Released,
    RingOpened,
    SlaBreached,
    SlaCancelled,
    SlaEscalated,
    SlaMet,
    SlaMetric,
    SlaStarted,
    SlaWarned,
    TeamAssigned,
)
from libs.contracts.generated.centralino.routing.v1.commands_pb2 import PoolCommand
from libs.contracts.generated.centralino.routing.v1.directory_pb2 import PersonChanged, TeamChanged
from libs.contracts.generated.centralino.routing.v1.presence_pb2 import PresenceChanged, PresenceState
from libs.contracts.generated.centralino.survey.v1.responses_pb2 import (
    SurveyAnswered,
    SurveyCancelled,
    SurveyExpired,
    SurveyRequested,
)
from libs.contracts.generated.centralino.triage.v1.decisions_pb2 import (
    ConversationTriaged,
    Handling,
    Kind,
    Reason,
    Signal,
    Urgency,
)

__all__ = [
    "AgentAssigned",
    "AgentOffered",
    "Channel",
    "ClockResult",
    "ConversationContinued",
    "ConversationCorrected",
    "ConversationOutcome",
    "ConversationResolved",
    "ConversationTriaged",
    "CustomerIdentified",
    "DeliveryFailed",
    "EpisodeCause",
    "EpisodeOpened",
    "Handling",
    "Identity",
    "Kind",
    "MessageDelivered",
    "MessageReceived",
    "NoteAdded",
    "OfferClosed",
    "OfferOutcome",
    "PayloadAccepted",
    "PersonChanged",
    "PoolCommand",
    "PresenceChanged",
    "PresenceState",
    "Purpose",
    "Reason",
    "Released",
    "ReplySent",
    "RingOpened",
    "Signal",
    "SlaBreached",
    "SlaCancelled",
    "SlaEscalated",
    "SlaMet",
    "SlaMetric",
    "SlaStarted",
    "SlaWarned",
    "Status",
    "StatusChanged",
    "SurveyAnswered",
    "SurveyCancelled",
    "SurveyExpired",
    "SurveyRequested",
    "SurveyState",
    "TeamAssigned",
    "TeamChanged",
    "TransferRequested",
    "Urgency",
]
