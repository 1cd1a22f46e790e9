"""survey: asks customers how an episode went, once for each, and takes their answers.

Owns: definitions, invitations, answers.
Consumes: agent.conversations.v1 (ConversationResolved, EpisodeOpened), ingest.customers.v1 (CustomersLinked,
CustomersUnlinked, CustomerErased).
Emits: survey.responses.v1 (SurveyRequested, SurveyAnswered, SurveyExpired, SurveyCancelled).
Serves: the public page of an invitation, its link for the sender, lists for staff.
Stores: invitations, answers with all their revisions, when each customer was last asked.
"""
