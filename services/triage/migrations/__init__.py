"""The history of schema triage."""
