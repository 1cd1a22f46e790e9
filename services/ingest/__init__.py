"""Ingest: every customer message in, every reply out.

Owns      channel accounts, raw payloads, identities and customers, threads with `message_seq`, case references,
          deliveries.
Consumes  PayloadAccepted (its own inbox), EpisodeOpened, ReplySent, ConversationResolved, SurveyRequested,
          SurveyCancelled.
Emits     PayloadAccepted, MessageReceived, CustomerIdentified, ConversationContinued, MessageDelivered,
          DeliveryFailed.
Serves    the chat widget; POST messages and mail, the state of a message, a customer's thread (list and event stream).
Stores    raw_messages, identities, customers, threads, thread_entries, deliveries.
"""
