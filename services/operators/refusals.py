"""Why an operator's command cannot do what it was asked; every text says what was seen and what to do."""


class StillFailing(Exception):
    """A dead letter was handled again in vain."""


class NotFromTheBeginning(Exception):
    """The commands before a point are gone, and nothing says what the pool was there."""
