"""Pure rules of the outcome stream: facts in, outcomes and figures out. No clock, no I/O."""
