from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class OfferOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OFFER_OUTCOME_UNSPECIFIED: _ClassVar[OfferOutcome]
    OFFER_OUTCOME_ACCEPTED: _ClassVar[OfferOutcome]
    OFFER_OUTCOME_DECLINED: _ClassVar[OfferOutcome]
    OFFER_OUTCOME_EXPIRED: _ClassVar[OfferOutcome]
    OFFER_OUTCOME_RESCINDED: _ClassVar[OfferOutcome]

class SlaMetric(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SLA_METRIC_UNSPECIFIED: _ClassVar[SlaMetric]
    SLA_METRIC_FIRST_RESPONSE: _ClassVar[SlaMetric]
    SLA_METRIC_RESOLUTION: _ClassVar[SlaMetric]
    SLA_METRIC_NEXT_RESPONSE: _ClassVar[SlaMetric]
    SLA_METRIC_UPDATE: _ClassVar[SlaMetric]
    SLA_METRIC_AGENT_WORK: _ClassVar[SlaMetric]
    SLA_METRIC_TOTAL_RESOLUTION: _ClassVar[SlaMetric]

class EscalationCause(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ESCALATION_CAUSE_UNSPECIFIED: _ClassVar[EscalationCause]
    ESCALATION_CAUSE_PERSON: _ClassVar[EscalationCause]
    ESCALATION_CAUSE_HOPS: _ClassVar[EscalationCause]
    ESCALATION_CAUSE_RULE: _ClassVar[EscalationCause]
    ESCALATION_CAUSE_LADDER: _ClassVar[EscalationCause]
OFFER_OUTCOME_UNSPECIFIED: OfferOutcome
OFFER_OUTCOME_ACCEPTED: OfferOutcome
OFFER_OUTCOME_DECLINED: OfferOutcome
OFFER_OUTCOME_EXPIRED: OfferOutcome
OFFER_OUTCOME_RESCINDED: OfferOutcome
SLA_METRIC_UNSPECIFIED: SlaMetric
SLA_METRIC_FIRST_RESPONSE: SlaMetric
SLA_METRIC_RESOLUTION: SlaMetric
SLA_METRIC_NEXT_RESPONSE: SlaMetric
SLA_METRIC_UPDATE: SlaMetric
SLA_METRIC_AGENT_WORK: SlaMetric
SLA_METRIC_TOTAL_RESOLUTION: SlaMetric
ESCALATION_CAUSE_UNSPECIFIED: EscalationCause
ESCALATION_CAUSE_PERSON: EscalationCause
ESCALATION_CAUSE_HOPS: EscalationCause
ESCALATION_CAUSE_RULE: EscalationCause
ESCALATION_CAUSE_LADDER: EscalationCause

class TeamAssigned(_message.Message):
    __slots__ = ("conversation_id", "episode", "team_id", "queue_id", "handling", "epoch", "decision_id", "policy_version", "assigned_at_ms", "cause")
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    EPISODE_FIELD_NUMBER: _ClassVar[int]
    TEAM_ID_FIELD_NUMBER: _ClassVar[int]
    QUEUE_ID_FIELD_NUMBER: _ClassVar[int]
    HANDLING_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    POLICY_VERSION_FIELD_NUMBER: _ClassVar[int]
    ASSIGNED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    conversation_id: str
    episode: int
    team_id: str
    queue_id: str
    handling: str
    epoch: int
    decision_id: str
    policy_version: str
    assigned_at_ms: int
    cause: str
    def __init__(self, conversation_id: _Optional[str] = ..., episode: _Optional[int] = ..., team_id: _Optional[str] = ..., queue_id: _Optional[str] = ..., handling: _Optional[str] = ..., epoch: _Optional[int] = ..., decision_id: _Optional[str] = ..., policy_version: _Optional[str] = ..., assigned_at_ms: _Optional[int] = ..., cause: _Optional[str] = ...) -> None: ...

class Escalated(_message.Message):
    __slots__ = ("conversation_id", "episode", "cause", "by", "reason", "boost_ms", "from_queue_id", "queue_id", "team_id", "escalated_at_ms", "decision_id")
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    EPISODE_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    BOOST_MS_FIELD_NUMBER: _ClassVar[int]
    FROM_QUEUE_ID_FIELD_NUMBER: _ClassVar[int]
    QUEUE_ID_FIELD_NUMBER: _ClassVar[int]
    TEAM_ID_FIELD_NUMBER: _ClassVar[int]
    ESCALATED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    conversation_id: str
    episode: int
    cause: EscalationCause
    by: str
    reason: str
    boost_ms: int
    from_queue_id: str
    queue_id: str
    team_id: str
    escalated_at_ms: int
    decision_id: str
    def __init__(self, conversation_id: _Optional[str] = ..., episode: _Optional[int] = ..., cause: _Optional[_Union[EscalationCause, str]] = ..., by: _Optional[str] = ..., reason: _Optional[str] = ..., boost_ms: _Optional[int] = ..., from_queue_id: _Optional[str] = ..., queue_id: _Optional[str] = ..., team_id: _Optional[str] = ..., escalated_at_ms: _Optional[int] = ..., decision_id: _Optional[str] = ...) -> None: ...

class AgentOffered(_message.Message):
    __slots__ = ("conversation_id", "episode", "offer_id", "agent_id", "team_id", "epoch", "offered_at_ms", "expires_at_ms", "decision_id")
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    EPISODE_FIELD_NUMBER: _ClassVar[int]
    OFFER_ID_FIELD_NUMBER: _ClassVar[int]
    AGENT_ID_FIELD_NUMBER: _ClassVar[int]
    TEAM_ID_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    OFFERED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_MS_FIELD_NUMBER: _ClassVar[int]
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    conversation_id: str
    episode: int
    offer_id: str
    agent_id: str
    team_id: str
    epoch: int
    offered_at_ms: int
    expires_at_ms: int
    decision_id: str
    def __init__(self, conversation_id: _Optional[str] = ..., episode: _Optional[int] = ..., offer_id: _Optional[str] = ..., agent_id: _Optional[str] = ..., team_id: _Optional[str] = ..., epoch: _Optional[int] = ..., offered_at_ms: _Optional[int] = ..., expires_at_ms: _Optional[int] = ..., decision_id: _Optional[str] = ...) -> None: ...

class OfferClosed(_message.Message):
    __slots__ = ("conversation_id", "episode", "offer_id", "agent_id", "epoch", "outcome", "reason", "closed_at_ms")
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    EPISODE_FIELD_NUMBER: _ClassVar[int]
    OFFER_ID_FIELD_NUMBER: _ClassVar[int]
    AGENT_ID_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CLOSED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    conversation_id: str
    episode: int
    offer_id: str
    agent_id: str
    epoch: int
    outcome: OfferOutcome
    reason: str
    closed_at_ms: int
    def __init__(self, conversation_id: _Optional[str] = ..., episode: _Optional[int] = ..., offer_id: _Optional[str] = ..., agent_id: _Optional[str] = ..., epoch: _Optional[int] = ..., outcome: _Optional[_Union[OfferOutcome, str]] = ..., reason: _Optional[str] = ..., closed_at_ms: _Optional[int] = ...) -> None: ...

class AgentAssigned(_message.Message):
    __slots__ = ("conversation_id", "episode", "agent_id", "team_id", "queue_id", "epoch", "cause", "assigned_at_ms", "decision_id")
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    EPISODE_FIELD_NUMBER: _ClassVar[int]
    AGENT_ID_FIELD_NUMBER: _ClassVar[int]
    TEAM_ID_FIELD_NUMBER: _ClassVar[int]
    QUEUE_ID_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    ASSIGNED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    conversation_id: str
    episode: int
    agent_id: str
    team_id: str
    queue_id: str
    epoch: int
    cause: str
    assigned_at_ms: int
    decision_id: str
    def __init__(self, conversation_id: _Optional[str] = ..., episode: _Optional[int] = ..., agent_id: _Optional[str] = ..., team_id: _Optional[str] = ..., queue_id: _Optional[str] = ..., epoch: _Optional[int] = ..., cause: _Optional[str] = ..., assigned_at_ms: _Optional[int] = ..., decision_id: _Optional[str] = ...) -> None: ...

class Released(_message.Message):
    __slots__ = ("conversation_id", "episode", "agent_id", "epoch", "reason", "released_at_ms")
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    EPISODE_FIELD_NUMBER: _ClassVar[int]
    AGENT_ID_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    RELEASED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    conversation_id: str
    episode: int
    agent_id: str
    epoch: int
    reason: str
    released_at_ms: int
    def __init__(self, conversation_id: _Optional[str] = ..., episode: _Optional[int] = ..., agent_id: _Optional[str] = ..., epoch: _Optional[int] = ..., reason: _Optional[str] = ..., released_at_ms: _Optional[int] = ...) -> None: ...

class RingOpened(_message.Message):
    __slots__ = ("conversation_id", "episode", "ring", "opened_at_ms")
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    EPISODE_FIELD_NUMBER: _ClassVar[int]
    RING_FIELD_NUMBER: _ClassVar[int]
    OPENED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    conversation_id: str
    episode: int
    ring: int
    opened_at_ms: int
    def __init__(self, conversation_id: _Optional[str] = ..., episode: _Optional[int] = ..., ring: _Optional[int] = ..., opened_at_ms: _Optional[int] = ...) -> None: ...

class QueueUnserved(_message.Message):
    __slots__ = ("conversation_id", "episode", "queue_id", "team_id", "why", "raised_at_ms")
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    EPISODE_FIELD_NUMBER: _ClassVar[int]
    QUEUE_ID_FIELD_NUMBER: _ClassVar[int]
    TEAM_ID_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    RAISED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    conversation_id: str
    episode: int
    queue_id: str
    team_id: str
    why: str
    raised_at_ms: int
    def __init__(self, conversation_id: _Optional[str] = ..., episode: _Optional[int] = ..., queue_id: _Optional[str] = ..., team_id: _Optional[str] = ..., why: _Optional[str] = ..., raised_at_ms: _Optional[int] = ...) -> None: ...

class OutOfHours(_message.Message):
    __slots__ = ("conversation_id", "episode", "queue_id", "opens_at_ms", "entered_at_ms", "zone")
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    EPISODE_FIELD_NUMBER: _ClassVar[int]
    QUEUE_ID_FIELD_NUMBER: _ClassVar[int]
    OPENS_AT_MS_FIELD_NUMBER: _ClassVar[int]
    ENTERED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    ZONE_FIELD_NUMBER: _ClassVar[int]
    conversation_id: str
    episode: int
    queue_id: str
    opens_at_ms: int
    entered_at_ms: int
    zone: str
    def __init__(self, conversation_id: _Optional[str] = ..., episode: _Optional[int] = ..., queue_id: _Optional[str] = ..., opens_at_ms: _Optional[int] = ..., entered_at_ms: _Optional[int] = ..., zone: _Optional[str] = ...) -> None: ...

class WaitPredicted(_message.Message):
    __slots__ = ("conversation_id", "episode", "queue_id", "position", "expected_ms", "low_ms", "high_ms", "predicted_at_ms", "call_back_offered")
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    EPISODE_FIELD_NUMBER: _ClassVar[int]
    QUEUE_ID_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_MS_FIELD_NUMBER: _ClassVar[int]
    LOW_MS_FIELD_NUMBER: _ClassVar[int]
    HIGH_MS_FIELD_NUMBER: _ClassVar[int]
    PREDICTED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    CALL_BACK_OFFERED_FIELD_NUMBER: _ClassVar[int]
    conversation_id: str
    episode: int
    queue_id: str
    position: int
    expected_ms: int
    low_ms: int
    high_ms: int
    predicted_at_ms: int
    call_back_offered: bool
    def __init__(self, conversation_id: _Optional[str] = ..., episode: _Optional[int] = ..., queue_id: _Optional[str] = ..., position: _Optional[int] = ..., expected_ms: _Optional[int] = ..., low_ms: _Optional[int] = ..., high_ms: _Optional[int] = ..., predicted_at_ms: _Optional[int] = ..., call_back_offered: _Optional[bool] = ...) -> None: ...

class SlaStarted(_message.Message):
    __slots__ = ("conversation_id", "episode", "metric", "instance", "started_at_ms", "due_at_ms", "target_ms", "policy_version", "team_id", "queue_id", "urgency")
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    EPISODE_FIELD_NUMBER: _ClassVar[int]
    METRIC_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    DUE_AT_MS_FIELD_NUMBER: _ClassVar[int]
    TARGET_MS_FIELD_NUMBER: _ClassVar[int]
    POLICY_VERSION_FIELD_NUMBER: _ClassVar[int]
    TEAM_ID_FIELD_NUMBER: _ClassVar[int]
    QUEUE_ID_FIELD_NUMBER: _ClassVar[int]
    URGENCY_FIELD_NUMBER: _ClassVar[int]
    conversation_id: str
    episode: int
    metric: SlaMetric
    instance: int
    started_at_ms: int
    due_at_ms: int
    target_ms: int
    policy_version: str
    team_id: str
    queue_id: str
    urgency: str
    def __init__(self, conversation_id: _Optional[str] = ..., episode: _Optional[int] = ..., metric: _Optional[_Union[SlaMetric, str]] = ..., instance: _Optional[int] = ..., started_at_ms: _Optional[int] = ..., due_at_ms: _Optional[int] = ..., target_ms: _Optional[int] = ..., policy_version: _Optional[str] = ..., team_id: _Optional[str] = ..., queue_id: _Optional[str] = ..., urgency: _Optional[str] = ...) -> None: ...

class SlaWarned(_message.Message):
    __slots__ = ("conversation_id", "episode", "metric", "instance", "warned_at_ms", "due_at_ms", "percent")
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    EPISODE_FIELD_NUMBER: _ClassVar[int]
    METRIC_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    WARNED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    DUE_AT_MS_FIELD_NUMBER: _ClassVar[int]
    PERCENT_FIELD_NUMBER: _ClassVar[int]
    conversation_id: str
    episode: int
    metric: SlaMetric
    instance: int
    warned_at_ms: int
    due_at_ms: int
    percent: int
    def __init__(self, conversation_id: _Optional[str] = ..., episode: _Optional[int] = ..., metric: _Optional[_Union[SlaMetric, str]] = ..., instance: _Optional[int] = ..., warned_at_ms: _Optional[int] = ..., due_at_ms: _Optional[int] = ..., percent: _Optional[int] = ...) -> None: ...

class SlaBreached(_message.Message):
    __slots__ = ("conversation_id", "episode", "metric", "instance", "due_at_ms", "team_id", "queue_id", "urgency")
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    EPISODE_FIELD_NUMBER: _ClassVar[int]
    METRIC_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    DUE_AT_MS_FIELD_NUMBER: _ClassVar[int]
    TEAM_ID_FIELD_NUMBER: _ClassVar[int]
    QUEUE_ID_FIELD_NUMBER: _ClassVar[int]
    URGENCY_FIELD_NUMBER: _ClassVar[int]
    conversation_id: str
    episode: int
    metric: SlaMetric
    instance: int
    due_at_ms: int
    team_id: str
    queue_id: str
    urgency: str
    def __init__(self, conversation_id: _Optional[str] = ..., episode: _Optional[int] = ..., metric: _Optional[_Union[SlaMetric, str]] = ..., instance: _Optional[int] = ..., due_at_ms: _Optional[int] = ..., team_id: _Optional[str] = ..., queue_id: _Optional[str] = ..., urgency: _Optional[str] = ...) -> None: ...

class SlaMet(_message.Message):
    __slots__ = ("conversation_id", "episode", "metric", "instance", "met_at_ms", "elapsed_ms", "due_at_ms", "in_time", "team_id", "queue_id", "urgency")
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    EPISODE_FIELD_NUMBER: _ClassVar[int]
    METRIC_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    MET_AT_MS_FIELD_NUMBER: _ClassVar[int]
    ELAPSED_MS_FIELD_NUMBER: _ClassVar[int]
    DUE_AT_MS_FIELD_NUMBER: _ClassVar[int]
    IN_TIME_FIELD_NUMBER: _ClassVar[int]
    TEAM_ID_FIELD_NUMBER: _ClassVar[int]
    QUEUE_ID_FIELD_NUMBER: _ClassVar[int]
    URGENCY_FIELD_NUMBER: _ClassVar[int]
    conversation_id: str
    episode: int
    metric: SlaMetric
    instance: int
    met_at_ms: int
    elapsed_ms: int
    due_at_ms: int
    in_time: bool
    team_id: str
    queue_id: str
    urgency: str
    def __init__(self, conversation_id: _Optional[str] = ..., episode: _Optional[int] = ..., metric: _Optional[_Union[SlaMetric, str]] = ..., instance: _Optional[int] = ..., met_at_ms: _Optional[int] = ..., elapsed_ms: _Optional[int] = ..., due_at_ms: _Optional[int] = ..., in_time: _Optional[bool] = ..., team_id: _Optional[str] = ..., queue_id: _Optional[str] = ..., urgency: _Optional[str] = ...) -> None: ...

class SlaCancelled(_message.Message):
    __slots__ = ("conversation_id", "episode", "metric", "instance", "cancelled_at_ms", "reason")
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    EPISODE_FIELD_NUMBER: _ClassVar[int]
    METRIC_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    CANCELLED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    conversation_id: str
    episode: int
    metric: SlaMetric
    instance: int
    cancelled_at_ms: int
    reason: str
    def __init__(self, conversation_id: _Optional[str] = ..., episode: _Optional[int] = ..., metric: _Optional[_Union[SlaMetric, str]] = ..., instance: _Optional[int] = ..., cancelled_at_ms: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class SlaEscalated(_message.Message):
    __slots__ = ("conversation_id", "episode", "metric", "instance", "due_at_ms", "taken_at_ms", "step", "action", "outcome", "people", "team_id", "queue_id", "decision_id")
    CONVERSATION_ID_FIELD_NUMBER: _ClassVar[int]
    EPISODE_FIELD_NUMBER: _ClassVar[int]
    METRIC_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    DUE_AT_MS_FIELD_NUMBER: _ClassVar[int]
    TAKEN_AT_MS_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    PEOPLE_FIELD_NUMBER: _ClassVar[int]
    TEAM_ID_FIELD_NUMBER: _ClassVar[int]
    QUEUE_ID_FIELD_NUMBER: _ClassVar[int]
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    conversation_id: str
    episode: int
    metric: SlaMetric
    instance: int
    due_at_ms: int
    taken_at_ms: int
    step: str
    action: str
    outcome: str
    people: _containers.RepeatedScalarFieldContainer[str]
    team_id: str
    queue_id: str
    decision_id: str
    def __init__(self, conversation_id: _Optional[str] = ..., episode: _Optional[int] = ..., metric: _Optional[_Union[SlaMetric, str]] = ..., instance: _Optional[int] = ..., due_at_ms: _Optional[int] = ..., taken_at_ms: _Optional[int] = ..., step: _Optional[str] = ..., action: _Optional[str] = ..., outcome: _Optional[str] = ..., people: _Optional[_Iterable[str]] = ..., team_id: _Optional[str] = ..., queue_id: _Optional[str] = ..., decision_id: _Optional[str] = ...) -> None: ...
