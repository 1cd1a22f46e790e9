"""Tables, repositories, the statements that read for HTTP, and the mapping of events."""
