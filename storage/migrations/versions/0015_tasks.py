"""What people do about the seats that Reclaim may not take.

A frozen copy: `storage/tables.py` moves on, this does not.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "manual_tasks",
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("by", sa.String()),
        sa.Column("at", INSTANT),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("checked_at", INSTANT),
        sa.Column("via", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["review_items.id"], name=op.f("fk_manual_tasks_item_id_review_items")),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_manual_tasks")),
    )
    op.create_index("ix_review_items_ended", "review_items", ["outcome", "outcome_at", "id"])


def downgrade() -> None:
    op.drop_index("ix_review_items_ended", "review_items")
    op.drop_table("manual_tasks")
