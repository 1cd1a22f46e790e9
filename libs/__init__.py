"""Libraries of the platform. None knows a service; cross a library only through its `__all__`."""
