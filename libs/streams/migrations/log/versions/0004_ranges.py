"""The partitions of a member are a range by the order of names, so that a process has the same ones in all its groups.

Revision ID: 0004
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE OR REPLACE FUNCTION renew(the_group text, the_member text, seconds double precision, partitions int)
        RETURNS int[] LANGUAGE plpgsql AS $$
        DECLARE
            living int;
            before int;
            first int;
            behind int;
            keep int[];
        BEGIN
            -- A database that dies may forget the newest renewals; who then owns what another took is fenced by the epoch.
            PERFORM set_config('synchronous_commit', 'off', true);
            -- One member at a time settles the shares of a group.
            PERFORM pg_advisory_xact_lock(hashtextextended('leases:' || the_group, 0));
            DELETE FROM log.members m WHERE m.group_name = the_group AND m.expires_at < clock_timestamp();
            INSERT INTO log.members VALUES (the_group, the_member, clock_timestamp() + make_interval(secs => seconds))
            ON CONFLICT (group_name, member) DO UPDATE SET expires_at = excluded.expires_at;
            SELECT count(*), count(*) FILTER (WHERE m.member < the_member COLLATE "C") INTO living, before
            FROM log.members m WHERE m.group_name = the_group;
            -- As the range assignor of Kafka shares: the first members have one more where it does not come out even.
            first := before * (partitions / living) + least(before, partitions % living);
            behind := first + partitions / living + (before < partitions % living)::int;
            SELECT coalesce(array_agg(p), '{}') INTO keep FROM generate_series(first, behind - 1) AS p
            WHERE NOT EXISTS (
                SELECT FROM log.leases l JOIN log.members m USING (group_name, member)
                WHERE l.group_name = the_group AND l.partition = p AND l.member <> the_member
            );
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
