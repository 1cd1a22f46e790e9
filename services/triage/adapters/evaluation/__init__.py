"""Measures triage on labelled files of anybody: `centralino evaluate` and `bench/triage` are thin over it."""
