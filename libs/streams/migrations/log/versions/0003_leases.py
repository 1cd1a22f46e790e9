"""A lease ends with its member: a renewal writes one row, not one for each partition, and waits for no disk.

Revision ID: 0003
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE OR REPLACE FUNCTION renew(the_group text, the_member text, seconds double precision, partitions int)
        RETURNS int[] LANGUAGE plpgsql AS $$
        DECLARE
            share int;
            keep int[];
        BEGIN
            -- A database that dies may forget the newest renewals; who then owns what another took is fenced by the epoch.
            PERFORM set_config('synchronous_commit', 'off', true);
            -- One member at a time settles the shares of a group.
            PERFORM pg_advisory_xact_lock(hashtextextended('leases:' || the_group, 0));
            DELETE FROM log.members m WHERE m.group_name = the_group AND m.expires_at < clock_timestamp();
            INSERT INTO log.members VALUES (the_group, the_member, clock_timestamp() + make_interval(secs => seconds))
            ON CONFLICT (group_name, member) DO UPDATE SET expires_at = excluded.expires_at;
            SELECT ceil(partitions::numeric / count(*)) INTO share FROM log.members m WHERE m.group_name = the_group;
            SELECT coalesce(array_agg(p), '{}') INTO keep FROM (
                SELECT p FROM generate_series(0, partitions - 1) AS p
                LEFT JOIN (log.leases l JOIN log.members m USING (group_name, member))
                ON l.group_name = the_group AND l.partition = p
                WHERE l.member IS NULL OR l.member = the_member
                ORDER BY coalesce(l.member = the_member, false) DESC, p
                LIMIT share
            ) AS kept;
            DELETE FROM log.leases l
            WHERE l.group_name = the_group AND l.member = the_member AND l.partition <> ALL (keep);
            INSERT INTO log.leases (group_name, partition, member)
            SELECT the_group, p, the_member FROM unnest(keep) AS p
            WHERE NOT EXISTS (
                SELECT FROM log.leases l WHERE l.group_name = the_group AND l.partition = p AND l.member = the_member
            )
            ON CONFLICT (group_name, partition) DO UPDATE SET member = excluded.member;
            RETURN keep;
        END
        $$
        """
    )
    op.execute("ALTER TABLE leases DROP COLUMN expires_at")
