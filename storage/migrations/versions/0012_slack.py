"""Slack's workspaces with their encrypted tokens, the further mail addresses of people, and messages by their own id.

A frozen copy, by autogenerate: `storage/tables.py` moves on, this does not.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_index("ix_messages_external", "messages", ["external_id"])
    op.create_table(
        "person_addresses",
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("address", "person_id", name=op.f("pk_person_addresses")),
    )
    op.create_index("ix_person_addresses_person_id", "person_addresses", ["person_id"])
    op.create_table(
        "slack_installations",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("org_wide", sa.Boolean(), nullable=False),
        sa.Column("bot_user", sa.String(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("installed_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slack_installations")),
    )


def downgrade() -> None:
    op.drop_table("slack_installations")
    op.drop_table("person_addresses")
    op.drop_index("ix_messages_external", "messages")
