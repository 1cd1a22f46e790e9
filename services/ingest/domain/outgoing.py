"""What a mail to a customer looks like."""

from services.ingest.domain.model import Thread
from services.ingest.domain.texts import one_line


def subject_of(thread: Thread) -> str:
    """The customer's subject as an answer, with the case reference."""
    subject = one_line(thread.subject, 900) or "Your request"
    if not thread.unanswered and not subject.lower().startswith("re:"):
        subject = f"Re: {subject}"
    if thread.case_reference in subject:
        return subject
    return f"{subject} [{thread.case_reference}]"
