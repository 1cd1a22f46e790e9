"""Why a cluster does not start; every text says what was seen and what to do."""


class ClusterRefused(RuntimeError):
    """The cluster cannot start."""


class BrokerRefused(RuntimeError):
    """The local broker cannot be had or does not start."""
