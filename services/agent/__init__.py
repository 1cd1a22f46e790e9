"""agent: the conversation's status and episodes, what people write and decide in it, and who they are.

Owns       conversations with their episodes, replies, notices, notes, tags, corrected topics; accounts
Consumes   MessageReceived, MessageDelivered, DeliveryFailed, ConversationContinued, CustomerIdentified,
           CustomersLinked, CustomersUnlinked, ConsentChanged, CustomerErased (ingest), ConversationTriaged (triage),
           TeamAssigned, AgentAssigned, Released, OutOfHours, WaitPredicted, QueueUnserved, Escalated, the clocks,
           TeamChanged, PersonChanged (routing)
Emits      EpisodeOpened, StatusChanged, ReplySent, NoteAdded, ConversationCorrected, TransferRequested, HandoffRequested,
           CallBackRequested, ConversationResolved
Serves     sign-in, lists, the one response with everything about a conversation, replies, notes, status, resolve, transfers,
           corrections, and the review of messages that opened nothing
Stores     schema agent: conversations, placements, messages, understandings, notes, customers, teams, people, accounts
"""
