"""What a campaign of 100,000 items needs: its frozen seats in parts, and indexes that count without reading the rows."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "frozen_seats",
        sa.Column("campaign_id", sa.String(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("seat_ids", sa.JSON(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("opened", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name="fk_frozen_seats_campaign_id"),
        sa.PrimaryKeyConstraint("campaign_id", "part", name="pk_frozen_seats"),
    )
    op.drop_index("ix_review_items_reviewer", "review_items")
    op.create_index("ix_review_items_reviewer", "review_items", ["campaign_id", "assignee_id", "answered_by", "choice"])
    op.create_index(
        "ix_review_items_figures",
        "review_items",
        [
            "campaign_id",
            "outcome",
            "choice",
            "waiting",
            "not_sure_by",
            "product_id",
            "currency",
            "monthly_minor",
        ],
    )
    op.create_index("ix_messages_state", "messages", ["matter", "state"])
    op.create_index("ix_removal_orders_state", "removal_orders", ["campaign_id", "state", "id"])
