"""Appeals of holders, and the link to what was done by hand.

A frozen copy: `storage/tables.py` moves on, this does not.
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "appeals",
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("campaign_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("to", sa.String(), nullable=False),
        sa.Column("reviewer_id", sa.String()),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("moved_at", INSTANT),
        sa.Column("answered_by", sa.String()),
        sa.Column("ended_at", INSTANT),
        sa.Column("reason", sa.Text()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_appeals_campaign_id_campaigns")),
        sa.ForeignKeyConstraint(["item_id"], ["review_items.id"], name=op.f("fk_appeals_item_id_review_items")),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_appeals")),
    )
    op.create_index("ix_appeals_campaign_id", "appeals", ["campaign_id"])
    op.create_index("ix_appeals_due", "appeals", ["state", "due_at"])
    op.add_column("manual_tasks", sa.Column("link", sa.Text()))


def downgrade() -> None:
    op.drop_column("manual_tasks", "link")
    op.drop_table("appeals")
