"""What even the lowest library needs: where time comes from and how ids are made."""

from libs.primitives.clock import Clock, ManualClock, SystemClock
from libs.primitives.ids import derived_id, derived_id_bytes, new_id, new_id_bytes

__all__ = ["Clock", "ManualClock", "SystemClock", "derived_id", "derived_id_bytes", "new_id", "new_id_bytes"]
