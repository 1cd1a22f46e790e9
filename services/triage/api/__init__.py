"""What triage serves over HTTP."""
