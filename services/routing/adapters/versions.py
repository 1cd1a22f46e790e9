"""The version of a person's entry in the directory: what an edit names as the state it was made from."""

import hashlib
import json
from typing import Final

from services.routing.adapters.codec import plain
from services.routing.domain.directory import AgentProfile

ABSENT: Final = "absent"
"""The version of an entry that is not there."""


def version_of(profile: AgentProfile | None) -> str:
    """Equal for equal entries, different for different ones; ABSENT for none."""
    if profile is None:
        return ABSENT
    return hashlib.sha256(json.dumps(plain(profile)).encode()).hexdigest()[:16]
