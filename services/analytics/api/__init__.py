"""The HTTP of analytics."""
