"""Sync runs that read only what has changed, and whom they have heard of.

A frozen copy: `storage/tables.py` moves on, this does not.
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.add_column("sync_runs", sa.Column("kind", sa.String(), nullable=False, server_default="full"))
    op.add_column("sync_runs", sa.Column("resynced", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "sync_changes",
        sa.Column("run_id", sa.String(), sa.ForeignKey("sync_runs.id"), primary_key=True),
        sa.Column("person_id", sa.String(), primary_key=True),
        sa.Column("state", sa.String(), nullable=False),
    )
    op.create_index("ix_sync_changes_waiting", "sync_changes", ["run_id", "state", "person_id"])


def downgrade() -> None:
    op.drop_table("sync_changes")
    # What only changes runs had read stays; the runs themselves would be taken for full ones.
    op.execute("UPDATE sync_runs SET state = 'failed' WHERE kind = 'changes'")
    op.drop_column("sync_runs", "resynced")
    op.drop_column("sync_runs", "kind")
