"""The two consumer groups: intake turns events into commands, the engine runs commands."""
