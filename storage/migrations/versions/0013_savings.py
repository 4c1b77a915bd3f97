"""What the orders were, when they renew, and which savings are realised.

A frozen copy: `storage/tables.py` moves on, this does not.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "pool_changes",
        sa.Column("product_id", sa.String(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("enabled", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("product_id", "at", name="pk_pool_changes"),
    )
    op.create_table(
        "renewals",
        sa.Column("product_id", sa.String(), nullable=False),
        sa.Column("renews_on", sa.Date(), nullable=False),
        sa.Column("seen_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("product_id", "renews_on", name="pk_renewals"),
    )
    op.create_table(
        "realised_savings",
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("campaign_id", sa.String(), nullable=False),
        sa.Column("product_id", sa.String(), nullable=False),
        sa.Column("realised_at", INSTANT, nullable=False),
        sa.Column("monthly_minor", sa.BigInteger()),
        sa.Column("currency", sa.String(3)),
        sa.ForeignKeyConstraint(["item_id"], ["review_items.id"], name="fk_realised_savings_item_id"),
        sa.PrimaryKeyConstraint("item_id", name="pk_realised_savings"),
    )
    op.create_index("ix_realised_savings_campaign_id", "realised_savings", ["campaign_id"])
