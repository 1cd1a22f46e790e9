"""Analytics: what happened, as facts, outcomes and figures.

Owns: facts of conversations and episodes, the outcome stream and its feed, the figures over them, what became of
each promise, names of teams and people, presence intervals.
Consumes: ingest.messages.v1, triage.decisions.v1, routing.assignments.v1, routing.presence.v1, routing.directory.v1,
agent.conversations.v1, survey.responses.v1, ingest.customers.v1.
Emits: ConversationOutcome.
Serves: the outcome feed (long poll), outcomes and their revisions, episodes to drill down to, the summary,
attainment by due date.
Stores: no text and no name of a customer; the outcome feed keeps the newest revision of every episode for ever.
"""
