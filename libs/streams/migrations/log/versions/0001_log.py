"""The log: numbered rows by topic and partition, and the one function that appends.

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
        CREATE TABLE topics (
            id smallint PRIMARY KEY,
            name text NOT NULL UNIQUE
        )
        """
    )
    op.execute("CREATE TABLE generation (number int NOT NULL)")
    op.execute("INSERT INTO generation VALUES (1)")
    # Rewritten by every append, so room for updates within the page keeps the index still.
    op.execute(
        """
        CREATE TABLE counters (
            topic smallint NOT NULL REFERENCES topics (id),
            partition int NOT NULL,
            number bigint NOT NULL DEFAULT 0,
            PRIMARY KEY (topic, partition)
        ) WITH (fillfactor = 20)
        """
    )
    op.execute(
        """
        CREATE TABLE events (
            topic smallint NOT NULL,
            partition int NOT NULL,
            number bigint NOT NULL,
            at_ms bigint NOT NULL,
            data bytea NOT NULL,
            PRIMARY KEY (topic, partition, number)
        )
        """
    )
    op.execute("ALTER TABLE events ALTER COLUMN data SET STORAGE EXTERNAL")
    op.execute(
        """
        CREATE TABLE readers (
            name text NOT NULL,
            topic smallint NOT NULL REFERENCES topics (id),
            position_schema text NOT NULL,
            PRIMARY KEY (name, topic)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE members (
            group_name text NOT NULL,
            member text NOT NULL,
            expires_at timestamptz NOT NULL,
            PRIMARY KEY (group_name, member)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE leases (
            group_name text NOT NULL,
            partition int NOT NULL,
            member text NOT NULL,
            expires_at timestamptz NOT NULL,
            PRIMARY KEY (group_name, partition)
        )
        """
    )
    op.execute(
        """
        CREATE FUNCTION append(topics smallint[], partitions int[], datas bytea[], at bigint)
        RETURNS TABLE (topic smallint, partition int, number bigint)
        LANGUAGE plpgsql AS $$
        #variable_conflict use_column
        BEGIN
            PERFORM 1 FROM log.counters c
            WHERE (c.topic, c.partition) IN (SELECT DISTINCT u.t, u.p FROM unnest(topics, partitions) AS u(t, p))
            ORDER BY c.topic, c.partition
            FOR UPDATE;
            RETURN QUERY
            WITH input AS (
                SELECT u.t, u.p, u.d, row_number() OVER (PARTITION BY u.t, u.p ORDER BY u.o) AS nth
                FROM unnest(topics, partitions, datas) WITH ORDINALITY AS u(t, p, d, o)
            ), numbered AS (
                SELECT i.t, i.p, i.d, c.number + i.nth AS n
                FROM input i JOIN log.counters c ON c.topic = i.t AND c.partition = i.p
            ), inserted AS (
                INSERT INTO log.events (topic, partition, number, at_ms, data)
                SELECT x.t, x.p, x.n, at, x.d FROM numbered x
            ), heads AS (
                SELECT x.t, x.p, max(x.n) AS n FROM numbered x GROUP BY x.t, x.p
            ), counted AS (
                UPDATE log.counters c SET number = h.n FROM heads h
                WHERE c.topic = h.t AND c.partition = h.p
            )
            SELECT h.t, h.p, h.n FROM heads h;
        END
        $$
        """
    )
    op.execute(
        """
        CREATE FUNCTION key_of(data bytea) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
            WITH t AS (SELECT get_byte(data, 29) * 256 + get_byte(data, 30) AS type_length),
                 k AS (SELECT 31 + type_length AS at FROM t)
            SELECT substring(data FROM at + 3 FOR get_byte(data, at) * 256 + get_byte(data, at + 1)) FROM k
        $$
        """
    )
    op.execute(
        """
        CREATE FUNCTION renew(the_group text, the_member text, seconds double precision, partitions int)
        RETURNS int[] LANGUAGE plpgsql AS $$
        DECLARE
            until timestamptz;
            share int;
            keep int[];
        BEGIN
            -- One member at a time settles the shares of a group.
            PERFORM pg_advisory_xact_lock(hashtextextended('leases:' || the_group, 0));
            until := clock_timestamp() + make_interval(secs => seconds);
            DELETE FROM log.members m WHERE m.group_name = the_group AND m.expires_at < clock_timestamp();
            INSERT INTO log.members VALUES (the_group, the_member, until)
            ON CONFLICT (group_name, member) DO UPDATE SET expires_at = excluded.expires_at;
            SELECT ceil(partitions::numeric / count(*)) INTO share FROM log.members m WHERE m.group_name = the_group;
            SELECT array_agg(p) INTO keep FROM (
                SELECT p FROM generate_series(0, partitions - 1) AS p
                LEFT JOIN log.leases l ON l.group_name = the_group AND l.partition = p
                WHERE l.partition IS NULL OR l.member = the_member OR l.expires_at < clock_timestamp()
                ORDER BY coalesce(l.member = the_member, false) DESC, p
                LIMIT share
            ) AS kept;
            keep := coalesce(keep, '{}');
            DELETE FROM log.leases l
            WHERE l.group_name = the_group AND l.member = the_member AND l.partition <> ALL (keep);
            INSERT INTO log.leases SELECT the_group, p, the_member, until FROM unnest(keep) AS p
            ON CONFLICT (group_name, partition)
            DO UPDATE SET member = excluded.member, expires_at = excluded.expires_at;
            RETURN keep;
        END
        $$
        """
    )
