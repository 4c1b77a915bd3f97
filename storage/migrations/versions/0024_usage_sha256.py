"""Which bytes an import of usage was read from.

A frozen copy: `storage/tables.py` moves on, this does not.
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    op.add_column("usage_imports", sa.Column("sha256", sa.String()))


def downgrade() -> None:
    op.drop_column("usage_imports", "sha256")
