"""The history of schema survey."""
