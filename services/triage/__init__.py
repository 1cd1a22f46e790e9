"""triage: what each message is about, how sure we are, and why.

Owns       the taxonomy, the default model, the operator's rules, signals and decisions
Consumes   MessageReceived, CustomerIdentified, CustomerErased (ingest); ReplySent, StatusChanged,
           ConversationCorrected, TransferRequested, ConversationResolved (agent): what people did since
Emits      ConversationTriaged
Serves     classification of any text with its explanation, decisions of conversations and why, the taxonomy, the rules
           with their versions, a dry run and a test; drift of what comes in, and its alarms
Stores     schema triage: conversations (language so far, what people corrected, what was decided last), decisions
           (never the text), customers (tier and attributes), versions of the rules,
           corrections and requests without a topic (with their words), hourly counts of what conversations
           begin with, alarms about their drift, how often an endpoint outside was asked
"""
