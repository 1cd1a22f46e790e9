"""The history of schema agent."""
