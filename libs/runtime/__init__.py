"""What every process needs: a clock, ids, settings, the definition of a service and its life from start to drain."""

from libs.primitives import (
    Clock,
    ManualClock,
    SystemClock,
    derived_id,
    derived_id_bytes,
    new_id,
    new_id_bytes,
)
from libs.runtime.service import Peers, Platform, Service, ServiceDefinition
from libs.runtime.settings import PlatformSettings, ServiceSettings, describe

__all__ = [
    "Clock",
    "ManualClock",
    "Peers",
    "Platform",
    "PlatformSettings",
    "Service",
    "ServiceDefinition",
    "ServiceSettings",
    "SystemClock",
    "derived_id",
    "derived_id_bytes",
    "describe",
    "new_id",
    "new_id_bytes",
]
