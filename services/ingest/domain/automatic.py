"""Whether a person wrote a mail (RFC 3834 and what robots do besides).

Automatic mail opens or joins conversations like any other; it only is never answered automatically.
"""

import re
from collections.abc import Mapping
from typing import Final

_ROBOTS: Final = re.compile(r"^(mailer-daemon|postmaster|no-?reply|do-?not-?reply|bounces?)([+-].*)?@", re.I)
_PRECEDENCES: Final = frozenset({"bulk", "junk", "list", "auto_reply"})


def automatic_reason(headers: Mapping[str, str], sender: str) -> str | None:
    """Which header says that no person wrote it; None when none does. Header names in lower case.

    `X-Auto-Response-Suppress` does not count: it asks us not to answer by machine, people's mail programs send it too.
    """
    submitted = headers.get("auto-submitted", "").split(";", 1)[0].strip().lower()
    if submitted and submitted != "no":
        return f"Auto-Submitted: {submitted}"
    if headers.get("return-path", "").strip() == "<>":
        return "Return-Path: <>"
    precedence = headers.get("precedence", "").strip().lower()
    if precedence in _PRECEDENCES:
        return f"Precedence: {precedence}"
    for name in ("list-id", "list-unsubscribe", "x-autoreply", "x-autorespond", "feedback-id"):
        if headers.get(name, "").strip():
            return name
    if headers.get("content-type", "").strip().lower().startswith("multipart/report"):
        return "Content-Type: multipart/report"
    if _ROBOTS.match(sender):
        return f"From: {sender.split('@', 1)[0]}"
    return None
