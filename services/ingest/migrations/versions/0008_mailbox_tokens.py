"""Refresh tokens that a mailbox's provider has given in place of the account's.

Revision ID: 0008
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE TABLE mailbox_tokens (account text PRIMARY KEY, given text NOT NULL, newest text NOT NULL)"
    )
