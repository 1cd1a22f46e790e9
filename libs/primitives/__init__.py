"""What even the lowest library needs: where time comes from, how ids are made, when garbage is looked for."""

from libs.primitives.clock import Clock, ManualClock, SystemClock
from libs.primitives.collecting import kept_for_good
from libs.primitives.ids import derived_id, derived_id_bytes, new_id, new_id_bytes

__all__ = [
    "Clock",
    "ManualClock",
    "SystemClock",
    "derived_id",
    "derived_id_bytes",
    "kept_for_good",
    "new_id",
    "new_id_bytes",
]
