"""What HTTP and handlers of ingest both do: linking customers, proposing it, signing a visitor in."""
