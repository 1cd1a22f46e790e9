"""triage: what each message is about, how sure we are, and why.

Owns       the taxonomy, the default model, signals and decisions
Consumes   MessageReceived (ingest); ReplySent, StatusChanged, ConversationCorrected, TransferRequested,
           ConversationResolved (agent): what people did since
Emits      ConversationTriaged
Serves     classification of any text with its explanation, decisions of conversations, the taxonomy
Stores     schema triage: conversations (language so far, what people corrected), decisions (never the text),
           corrections and requests without a topic (with their words)
"""
