"""Which job carries out a removal order.

A frozen copy: `storage/tables.py` moves on, this does not.
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.add_column("removal_orders", sa.Column("claimed_by", sa.String()))
    op.add_column("removal_orders", sa.Column("claimed_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("removal_orders", "claimed_at")
    op.drop_column("removal_orders", "claimed_by")
