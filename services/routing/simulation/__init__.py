"""Trying out a policy before it goes live: scenarios in, waits and promises kept out (`docs/routing.md`)."""
