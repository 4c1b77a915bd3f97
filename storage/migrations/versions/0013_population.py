"""Who else is left out (role holders, absences, names by pattern), and what the orders were: when a saving is realised.

A frozen copy: `storage/tables.py` moves on, this does not.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("people", sa.Column("name_key", sa.Text(), nullable=False, server_default=""))
    op.add_column("people", sa.Column("upn_key", sa.Text(), nullable=False, server_default=""))
    op.add_column("sync_runs", sa.Column("roles", sa.String(), nullable=False, server_default="not_read"))
    op.create_table(
        "role_holders",
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("seen_run", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("person_id", name="pk_role_holders"),
    )
    op.create_table(
        "absences",
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date()),
        sa.Column("loaded_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("person_id", "first_day", name="pk_absences"),
    )
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
