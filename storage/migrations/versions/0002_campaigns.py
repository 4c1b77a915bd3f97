"""Campaigns, removals and messages.

A frozen copy, by autogenerate: `storage/tables.py` moves on, this does not.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "campaigns",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.String(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("closes_at", INSTANT, nullable=False),
        sa.Column("shown_close_at", INSTANT, nullable=False),
        sa.Column("strategy", sa.String(), nullable=False),
        sa.Column("reviewer_id", sa.String()),
        sa.Column("fallback_id", sa.String()),
        sa.Column("silence", sa.String(), nullable=False),
        sa.Column("scope", sa.JSON(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("opened_at", INSTANT),
        sa.Column("closing_at", INSTANT),
        sa.Column("closed_at", INSTANT),
        sa.Column("pause_reason", sa.String()),
        sa.Column("abandoned_by", sa.String()),
        sa.PrimaryKeyConstraint("id", name="pk_campaigns"),
    )
    op.create_index("ix_campaigns_state", "campaigns", ["state"])
    op.create_table(
        "review_items",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("campaign_id", sa.String(), nullable=False),
        sa.Column("seat_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("product_id", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("recommendation", sa.String(), nullable=False),
        sa.Column("snapshot", sa.JSON(), nullable=False),
        sa.Column("plan", sa.JSON(), nullable=False),
        sa.Column("monthly_minor", sa.BigInteger()),
        sa.Column("currency", sa.String(length=3)),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("assignee_id", sa.String()),
        sa.Column("assigned_how", sa.String(), nullable=False),
        sa.Column("assigned_reason", sa.Text()),
        sa.Column("delegated_by", sa.String()),
        sa.Column("handovers", sa.Integer(), nullable=False),
        sa.Column("not_sure_by", sa.String()),
        sa.Column("choice", sa.String()),
        sa.Column("answered_by", sa.String()),
        sa.Column("answered_at", INSTANT),
        sa.Column("batch_id", sa.String()),
        sa.Column("keep_reason", sa.String()),
        sa.Column("note", sa.Text()),
        sa.Column("keep_until", sa.Date()),
        sa.Column("waiting", sa.String()),
        sa.Column("outcome", sa.String()),
        sa.Column("outcome_reason", sa.String()),
        sa.Column("outcome_at", INSTANT),
        sa.Column("verified_at", INSTANT),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name="fk_review_items_campaign_id"),
        sa.PrimaryKeyConstraint("id", name="pk_review_items"),
        sa.UniqueConstraint("campaign_id", "seat_id", name="uq_review_items_campaign_id_seat_id"),
    )
    op.create_index("ix_review_items_assignee", "review_items", ["assignee_id", "campaign_id"])
    op.create_index("ix_review_items_batch_id", "review_items", ["batch_id"])
    op.create_index("ix_review_items_person_id", "review_items", ["person_id"])
    op.create_index("ix_review_items_reviewer", "review_items", ["campaign_id", "assignee_id"])
    op.create_table(
        "item_assignments",
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("stage", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("assignee_kind", sa.String(), nullable=False),
        sa.Column("assignee_id", sa.String(), nullable=False),
        sa.Column("how", sa.String(), nullable=False),
        sa.Column("by", sa.String()),
        sa.Column("reason", sa.Text()),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT),
        sa.ForeignKeyConstraint(["item_id"], ["review_items.id"], name="fk_item_assignments_item_id"),
        sa.PrimaryKeyConstraint("item_id", "stage", "seq", name="pk_item_assignments"),
    )
    op.create_table(
        "decisions",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("item_version", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.String(), nullable=False),
        sa.Column("choice", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("idem_key", sa.String(), nullable=False),
        sa.Column("request_sha256", sa.String(), nullable=False),
        sa.Column("response", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["review_items.id"], name="fk_decisions_item_id"),
        sa.PrimaryKeyConstraint("id", name="pk_decisions"),
        sa.UniqueConstraint("idem_key", name="uq_decisions_idem_key"),
        sa.UniqueConstraint("item_id", "item_version", name="uq_decisions_item_id_item_version"),
    )
    op.create_index("ix_decisions_item_id", "decisions", ["item_id"])
    op.create_table(
        "questions",
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("product_id", sa.String(), nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("closed_at", INSTANT),
        sa.ForeignKeyConstraint(["item_id"], ["review_items.id"], name="fk_questions_item_id"),
        sa.PrimaryKeyConstraint("item_id", name="pk_questions"),
    )
    op.create_index(
        "uq_questions_open",
        "questions",
        ["person_id", "product_id"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "answers",
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("product_id", sa.String(), nullable=False),
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("choice", sa.String(), nullable=False),
        sa.Column("reason", sa.String()),
        sa.Column("answered_at", INSTANT, nullable=False),
        sa.Column("until", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("person_id", "product_id", name="pk_answers"),
    )
    op.create_table(
        "removal_orders",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("campaign_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("not_before", INSTANT),
        sa.Column("checks", sa.Integer(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name="fk_removal_orders_campaign_id"),
        sa.PrimaryKeyConstraint("id", name="pk_removal_orders"),
        sa.UniqueConstraint("campaign_id", "person_id", name="uq_removal_orders_campaign_id_person_id"),
    )
    op.create_index("ix_removal_orders_due", "removal_orders", ["state", "not_before"])
    op.create_index("ix_removal_orders_person_id", "removal_orders", ["person_id"])
    op.create_table(
        "removal_steps",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("client_request_id", sa.String()),
        sa.Column("request_id", sa.String()),
        sa.Column("before", sa.Text()),
        sa.Column("after", sa.Text()),
        sa.Column("error", sa.Text()),
        sa.Column("maybe_written", sa.Boolean(), nullable=False),
        sa.Column("intended_at", INSTANT),
        sa.Column("written_at", INSTANT),
        sa.Column("verified_at", INSTANT),
        sa.ForeignKeyConstraint(["item_id"], ["review_items.id"], name="fk_removal_steps_item_id"),
        sa.ForeignKeyConstraint(["order_id"], ["removal_orders.id"], name="fk_removal_steps_order_id"),
        sa.PrimaryKeyConstraint("id", name="pk_removal_steps"),
        sa.UniqueConstraint("order_id", "seq", name="uq_removal_steps_order_id_seq"),
    )
    op.create_index("ix_removal_steps_item_id", "removal_steps", ["item_id"])
    op.create_index("ix_removal_steps_order_id", "removal_steps", ["order_id"])
    op.create_index("ix_removal_steps_written_at", "removal_steps", ["written_at"])
    op.create_table(
        "messages",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("conversation", sa.String(), nullable=False),
        sa.Column("matter", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.String()),
        sa.Column("payload_sha256", sa.String()),
        sa.Column("data_as_of", INSTANT),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("sent_at", INSTANT),
        sa.Column("error", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_messages"),
    )
    op.create_index("ix_messages_matter", "messages", ["matter", "person_id"])
    op.create_table(
        "message_items",
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("item_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["review_items.id"], name="fk_message_items_item_id"),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name="fk_message_items_message_id"),
        sa.PrimaryKeyConstraint("message_id", "item_id", name="pk_message_items"),
    )
    op.create_index("ix_message_items_item_id", "message_items", ["item_id"])
