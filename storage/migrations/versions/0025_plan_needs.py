"""Which service plans need another one, as Microsoft's refusals have told.

A frozen copy: `storage/tables.py` moves on, this does not.
"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "plan_needs",
        sa.Column("plan_id", sa.String(), primary_key=True),
        sa.Column("needed_ids", sa.JSON(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("plan_needs")
