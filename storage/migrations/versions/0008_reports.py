"""Find what somebody passed on, and results that could not be told, without reading whole tables."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_index("ix_item_assignments_by", "item_assignments", ["by"])
    op.create_index("ix_messages_failed", "messages", ["state", "created_at"])
