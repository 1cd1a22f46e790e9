"""The six services, their table of contents (`registry`), the embedded host and the command line."""
