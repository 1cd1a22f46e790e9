"""What ingest does beside HTTP and its handlers: senders, mail doors, files, notices, retention, gauges."""
