"""Ingest: every customer message in, every reply out.

Owns      channel accounts, raw payloads, identities and customers, threads with `message_seq`, case references,
          deliveries.
Consumes  PayloadAccepted (its own inbox), CustomerIdentified (who else may be the same), EpisodeOpened, ReplySent,
          ConversationResolved, SurveyRequested, SurveyCancelled.
Emits     PayloadAccepted, MessageReceived, CustomerIdentified, CustomersLinked, CustomersUnlinked, CustomerErased,
          ConversationContinued, MessageDelivered, DeliveryFailed.
Serves    the chat widget; POST messages and mail, the state of a message, a customer's thread (list and event stream),
          customers with their links, proposals and conflicts, erasures.
Stores    raw_messages, identities, customers, threads, thread_entries, deliveries, memberships, customer_links.
"""
