"""What triage uses from outside: files, detectors, worker processes, tables."""
