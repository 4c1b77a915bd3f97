"""What the assignee of a seat with the last mailbox or files chose about that data.

A frozen copy: `storage/tables.py` moves on, this does not.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.add_column("review_items", sa.Column("data_loss", sa.String()))


def downgrade() -> None:
    op.drop_column("review_items", "data_loss")
