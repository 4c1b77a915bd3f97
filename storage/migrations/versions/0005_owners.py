"""License owners, groups as assignees, and what admins may do to a running campaign.

A frozen copy, by autogenerate: `storage/tables.py` moves on, this does not.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "product_owners",
        sa.Column("product_id", sa.String(), nullable=False),
        sa.Column("owner_kind", sa.String(), nullable=False),
        sa.Column("owner_id", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("product_id", name="pk_product_owners"),
    )
    op.create_table(
        "reminders",
        sa.Column("campaign_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name="fk_reminders_campaign_id"),
        sa.PrimaryKeyConstraint("campaign_id", "person_id", name="pk_reminders"),
    )
    op.create_index("ix_role_members_person_id", "role_members", ["person_id"])
    op.add_column("campaigns", sa.Column("extended_at", INSTANT))
    op.add_column("campaigns", sa.Column("cancelled_by", sa.String()))
    op.add_column("campaigns", sa.Column("cancel_reason", sa.Text()))
    op.add_column("review_items", sa.Column("assignee_kind", sa.String(), server_default="person", nullable=False))
    op.add_column("review_items", sa.Column("moved_from", sa.String()))
    op.add_column("review_items", sa.Column("moved_by", sa.String()))
    of_group = sa.text("assignee_kind = 'group'")
    op.create_index(
        "ix_review_items_groups",
        "review_items",
        ["campaign_id", "assignee_id"],
        sqlite_where=of_group,
        postgresql_where=of_group,
    )
    for who in ("answered_by", "delegated_by", "moved_from"):
        there = sa.text(f"{who} IS NOT NULL")
        op.create_index(
            f"ix_review_items_{who}",
            "review_items",
            [who, "campaign_id"],
            sqlite_where=there,
            postgresql_where=there,
        )
