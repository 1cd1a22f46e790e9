"""The routing rules of one pool: values in, values out. No clock, no database, no randomness, no floats.

Read in this order: `model` (what there is), `commands` (what can be asked), `events` (what is told), `engine`
(the state machine), then the rules it dispatches to.
"""
