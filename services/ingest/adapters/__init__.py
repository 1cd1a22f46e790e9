"""What stands between the rules of ingest and the world: tables, keys, MIME, SMTP, the survey service."""
