"""Customers who are one person, and whose episode it was, so that people are counted.

Revision ID: 0003
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE episodes ADD COLUMN customer_id text NOT NULL DEFAULT ''")
    op.execute("UPDATE episodes SET customer_id = coalesce(outcome->>'customer_id', '')")
    op.execute("CREATE INDEX episodes_by_customer ON episodes (customer_id)")
    op.execute(
        "CREATE INDEX conversations_open_of ON conversations ((open_episode->>15)) WHERE open_since_ms > 0"
    )
    op.execute(
        """
        CREATE TABLE persons (
            customer_id text PRIMARY KEY,
            person_id text NOT NULL,
            version bigint NOT NULL
        )
        """
    )
    op.execute(
        """
        CREATE OR REPLACE VIEW all_episodes AS
        SELECT conversation_id, episode, team_id, topic, channel, language, opened_at_ms, assigned_at_ms,
            first_reply_at_ms, resolved_at_ms, wait_ms, first_response_ms, resolution_ms, first_response_state,
            first_response_due_ms, resolution_state, resolution_due_ms, survey_delivered, csat_score,
            csat_answered_at_ms, reopened, final, customer_id
        FROM episodes
        UNION ALL
        SELECT conversation_id, (e->>0)::int, e->>1, e->>2, e->>3, e->>4, (e->>5)::bigint,
            nullif((e->>6)::bigint, 0), nullif((e->>7)::bigint, 0), (e->>8)::bigint, (e->>9)::bigint, (e->>10)::bigint,
            NULL::bigint, e->>11, nullif((e->>12)::bigint, 0), e->>13, nullif((e->>14)::bigint, 0), false, 0::smallint,
            NULL::bigint, false, false, coalesce(e->>15, '')
        FROM (SELECT conversation_id, open_episode AS e FROM conversations WHERE open_since_ms > 0) AS standing
        """
    )
