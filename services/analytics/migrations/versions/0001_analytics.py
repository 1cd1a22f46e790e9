"""Facts of conversations, episodes and their outcomes, the feed, labels, presence.

Revision ID: 0001
"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE conversations (
            conversation_id text PRIMARY KEY,
            facts jsonb NOT NULL,
            due_at_ms bigint NOT NULL,
            published int NOT NULL,
            open_since_ms bigint NOT NULL,
            open_episode jsonb,
            idle_from_ms bigint NOT NULL
        ) WITH (fillfactor = 50)
        """
    )
    op.execute("CREATE INDEX conversations_open ON conversations (open_since_ms) WHERE open_since_ms > 0")
    op.execute("CREATE INDEX conversations_idle ON conversations (idle_from_ms) WHERE idle_from_ms > 0")
    op.execute(
        """
        CREATE TABLE episodes (
            conversation_id text NOT NULL,
            episode int NOT NULL,
            revision int NOT NULL,
            published_at_ms bigint NOT NULL,
            team_id text NOT NULL,
            topic text NOT NULL,
            channel text NOT NULL,
            language text NOT NULL,
            opened_at_ms bigint NOT NULL,
            assigned_at_ms bigint,
            first_reply_at_ms bigint,
            resolved_at_ms bigint NOT NULL,
            wait_ms bigint,
            first_response_ms bigint,
            resolution_ms bigint,
            first_response_state text NOT NULL,
            first_response_due_ms bigint,
            resolution_state text NOT NULL,
            resolution_due_ms bigint,
            survey_delivered boolean NOT NULL,
            csat_score smallint NOT NULL,
            csat_answered_at_ms bigint,
            reopened boolean NOT NULL,
            final boolean NOT NULL,
            outcome jsonb NOT NULL,
            PRIMARY KEY (conversation_id, episode)
        ) WITH (fillfactor = 80)
        """
    )
    op.execute("CREATE INDEX episodes_by_resolution ON episodes (resolved_at_ms, conversation_id, episode)")
    # Block ranges suffice for the other clocks: rows come roughly in the order of each of them.
    op.execute(
        "CREATE INDEX episodes_by_clock ON episodes USING brin"
        " (opened_at_ms, assigned_at_ms, first_reply_at_ms, csat_answered_at_ms, first_response_due_ms, resolution_due_ms)"
        " WITH (autosummarize = on)"
    )
    op.execute(
        """
        CREATE TABLE outcome_feed (
            position bigint PRIMARY KEY,
            conversation_id text NOT NULL,
            episode int NOT NULL,
            revision int NOT NULL,
            published_at_ms bigint NOT NULL,
            record jsonb NOT NULL
        )
        """
    )
    op.execute(
        "CREATE UNIQUE INDEX outcome_feed_revisions ON outcome_feed (conversation_id, episode, revision)"
    )
    op.execute(
        "CREATE TABLE feed_counter (name text PRIMARY KEY, position bigint NOT NULL) WITH (fillfactor = 20)"
    )
    op.execute("INSERT INTO feed_counter (name, position) VALUES ('outcomes', 0), ('pruned', 0)")
    op.execute(
        """
        CREATE TABLE labels (
            kind text NOT NULL,
            id text NOT NULL,
            name text NOT NULL,
            version bigint NOT NULL,
            removed boolean NOT NULL,
            PRIMARY KEY (kind, id)
        )
        """
    )
    op.execute(
        "CREATE TABLE presence (agent_id text PRIMARY KEY, state text NOT NULL, since_ms bigint NOT NULL)"
    )
    op.execute(
        """
        CREATE TABLE presence_intervals (
            agent_id text NOT NULL,
            from_ms bigint NOT NULL,
            until_ms bigint NOT NULL,
            state text NOT NULL,
            PRIMARY KEY (agent_id, from_ms)
        )
        """
    )
    op.execute(
        """
        CREATE VIEW all_episodes AS
        SELECT conversation_id, episode, team_id, topic, channel, language, opened_at_ms, assigned_at_ms,
            first_reply_at_ms, resolved_at_ms, wait_ms, first_response_ms, resolution_ms, first_response_state,
            first_response_due_ms, resolution_state, resolution_due_ms, survey_delivered, csat_score,
            csat_answered_at_ms, reopened, final
        FROM episodes
        UNION ALL
        SELECT conversation_id, (e->>0)::int, e->>1, e->>2, e->>3, e->>4, (e->>5)::bigint,
            nullif((e->>6)::bigint, 0), nullif((e->>7)::bigint, 0), (e->>8)::bigint, (e->>9)::bigint, (e->>10)::bigint,
            NULL::bigint, e->>11, nullif((e->>12)::bigint, 0), e->>13, nullif((e->>14)::bigint, 0), false, 0::smallint,
            NULL::bigint, false, false
        FROM (SELECT conversation_id, open_episode AS e FROM conversations WHERE open_since_ms > 0) AS standing
        """
    )
