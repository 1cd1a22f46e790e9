"""The history of schema routing."""
