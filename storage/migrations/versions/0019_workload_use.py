"""What Microsoft's usage reports say, which of it a finding stands on, and what mailboxes are for.

A frozen copy: `storage/tables.py` moves on, this does not.
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "usage_reports",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("report", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("read_at", INSTANT, nullable=False),
        sa.Column("refreshed_on", sa.Date()),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("unmatched", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_usage_reports"),
    )
    op.create_table(
        "report_readings",
        sa.Column("report", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("report", name="pk_report_readings"),
    )
    op.create_table(
        "workload_use",
        sa.Column("report_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("upn", sa.String(), nullable=False),
        sa.Column("counted", sa.Integer(), nullable=False),
        sa.Column("licensed_at", INSTANT),
        sa.Column("exchange_at", INSTANT),
        sa.Column("onedrive_at", INSTANT),
        sa.Column("sharepoint_at", INSTANT),
        sa.Column("skype_at", INSTANT),
        sa.Column("viva_engage_at", INSTANT),
        sa.Column("teams_at", INSTANT),
        sa.Column("apps_at", INSTANT),
        sa.Column("visio_at", INSTANT),
        sa.Column("project_at", INSTANT),
        sa.PrimaryKeyConstraint("report_id", "upn", name="pk_workload_use"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "mailbox_purposes",
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("read_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("person_id", name="pk_mailbox_purposes"),
    )
    op.add_column("findings", sa.Column("last_used_at", INSTANT))
    op.add_column("findings", sa.Column("reported_at", INSTANT))


def downgrade() -> None:
    # The rule that reads reports is unknown before this: the next sync makes a scan without it.
    op.execute("DELETE FROM finding_days WHERE rule = 'unused'")
    op.execute("DELETE FROM finding_order WHERE rule = 'unused'")
    op.execute("DELETE FROM findings WHERE rule = 'unused'")
    op.drop_column("findings", "reported_at")
    op.drop_column("findings", "last_used_at")
    op.drop_table("mailbox_purposes")
    op.drop_table("workload_use")
    op.drop_table("report_readings")
    op.drop_table("usage_reports")
