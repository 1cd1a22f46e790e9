"""What handlers, routes, workers and commands of ingest do alike, each inside its caller's transaction.

Messages in: `normalising`, `statuses`, and `renormalising` what was misread. Messages out: `going_out`, `resending`.
Customers: `people` (links), `proposing`, `signing_in`, `erasing`.
"""
