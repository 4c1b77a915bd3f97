"""Appeals against what a consent program took.

A frozen copy: `storage/tables.py` moves on, this does not.
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "consent_appeals",
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("program_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("decider_id", sa.String(), nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["consent_requests.id"], name=op.f("fk_consent_appeals_request_id")),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_consent_appeals")),
    )
    op.create_index("ix_consent_appeals_due", "consent_appeals", ["state", "due_at"])


def downgrade() -> None:
    op.drop_table("consent_appeals")
