"""The way back: restores with their steps, removals whose seat is there again, and holders who were asked.

A frozen copy, by autogenerate: `storage/tables.py` moves on, this does not.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "restores",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("campaign_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("product_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("not_before", INSTANT, nullable=True),
        sa.Column("checks", sa.Integer(), nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("how", sa.String(), nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("why_not", sa.String(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_restores_campaign_id_campaigns")),
        sa.ForeignKeyConstraint(["item_id"], ["review_items.id"], name=op.f("fk_restores_item_id_review_items")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_restores")),
        sa.UniqueConstraint("item_id", name=op.f("uq_restores_item_id")),
    )
    op.create_index("ix_restores_campaign_id", "restores", ["campaign_id"])
    op.create_index("ix_restores_due", "restores", ["state", "not_before"])
    op.create_table(
        "restore_steps",
        sa.Column("restore_id", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("disabled_plans", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("client_request_id", sa.String(), nullable=True),
        sa.Column("request_id", sa.String(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("maybe_written", sa.Boolean(), nullable=False),
        sa.Column("intended_at", INSTANT, nullable=True),
        sa.Column("written_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["restore_id"], ["restores.id"], name=op.f("fk_restore_steps_restore_id_restores")),
        sa.PrimaryKeyConstraint("restore_id", "seq", name=op.f("pk_restore_steps")),
    )
    op.create_index("ix_restore_steps_written_at", "restore_steps", ["written_at"])
    op.create_table(
        "reversals",
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("campaign_id", sa.String(), nullable=False),
        sa.Column("how", sa.String(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("through", sa.JSON(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_reversals_campaign_id_campaigns")),
        sa.ForeignKeyConstraint(["item_id"], ["review_items.id"], name=op.f("fk_reversals_item_id_review_items")),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_reversals")),
    )
    op.create_index("ix_reversals_campaign_id", "reversals", ["campaign_id"])
    op.create_index("ix_reversals_run_id", "reversals", ["run_id"])
    op.create_table(
        "ask_backs",
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("campaign_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("signed_in_at", INSTANT, nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("wanted", sa.Boolean(), nullable=True),
        sa.Column("answered_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_ask_backs_campaign_id_campaigns")),
        sa.ForeignKeyConstraint(["item_id"], ["review_items.id"], name=op.f("fk_ask_backs_item_id_review_items")),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_ask_backs")),
    )
    op.create_index("ix_ask_backs_campaign_id", "ask_backs", ["campaign_id"])


def downgrade() -> None:
    for table in ("ask_backs", "reversals", "restore_steps", "restores"):
        op.drop_table(table)
