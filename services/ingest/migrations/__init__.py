"""Tables of ingest, one revision a file under `versions`."""
