"""routing: who gets which conversation, and by when.

Owns       the directory (teams, queues, people, capacities, calendars), pools, presence, offers, assignments, SLA clocks
Consumes   EpisodeOpened, StatusChanged, ReplySent, TransferRequested, HandoffRequested, CallBackRequested,
           ConversationResolved (agent), ConversationTriaged (triage), CustomerIdentified, CustomerErased (ingest),
           SurveyRequested, SurveyAnswered (survey); its own PoolCommand
Emits      TeamAssigned, AgentOffered, OfferClosed, AgentAssigned, Released, RingOpened, QueueUnserved, OutOfHours,
           WaitPredicted, SlaStarted, SlaWarned, SlaBreached, SlaMet, SlaCancelled, SlaEscalated, Escalated,
           PresenceChanged, TeamChanged, PersonChanged
Serves     presence, the agents' feed, offers, assignments, release and transfer, queues, explanations, the directory;
           for supervisors orders, the overview and the audit
Stores     schema routing: pools, agents, items, offers, asked, results, feed, decisions, arrivals, customers, leases,
           notices, audit, wait_told

Two consumer groups: `routing` (intake) turns events into commands, `routing-engine` runs the commands of a pool on the
state machine of `domain/`, one owner per pool, and writes what a step changed in one transaction.
"""
