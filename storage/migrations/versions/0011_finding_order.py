"""Findings kept by product and seat, and their order in a list beside them: a large scan is written in one direction.

A frozen copy: `storage/tables.py` moves on, this does not. What was found before is carried over.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

INSTANT = sa.DateTime(timezone=True)
_COLUMNS = (
    "scan_id, product_id, seat_id, person_id, rule, quiet_since, last_seen_at, last_seen_kind, assigned_at,"
    " exclusion_id"
)


def upgrade() -> None:
    op.drop_index("ix_findings_list", "findings")
    if op.get_bind().dialect.name == "postgresql":  # where the name of a primary key is one of the schema's
        op.drop_constraint("pk_findings", "findings", type_="primary")
    op.create_table(
        "findings_by_product",
        sa.Column("scan_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("product_id", sa.String(), nullable=False),
        sa.Column("seat_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("quiet_since", INSTANT, nullable=False),
        sa.Column("last_seen_at", INSTANT),
        sa.Column("last_seen_kind", sa.String()),
        sa.Column("assigned_at", INSTANT),
        sa.Column("exclusion_id", sa.String()),
        sa.PrimaryKeyConstraint("scan_id", "product_id", "seat_id", name="pk_findings"),
        sqlite_with_rowid=False,
    )
    op.execute(
        f"INSERT INTO findings_by_product ({_COLUMNS})"  # noqa: S608 - our own words
        f" SELECT {_COLUMNS} FROM findings ORDER BY scan_id, product_id, seat_id"
    )
    op.drop_table("findings")
    op.rename_table("findings_by_product", "findings")
    op.create_table(
        "finding_order",
        sa.Column("scan_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("product_id", sa.String(), nullable=False),
        sa.Column("quiet_since", INSTANT, nullable=False),
        sa.Column("seat_id", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("exclusion_id", sa.String()),
        sa.PrimaryKeyConstraint("scan_id", "product_id", "quiet_since", "seat_id", name="pk_finding_order"),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO finding_order (scan_id, product_id, quiet_since, seat_id, rule, exclusion_id)"
        " SELECT scan_id, product_id, quiet_since, seat_id, rule, exclusion_id FROM findings"
        " ORDER BY scan_id, product_id, quiet_since, seat_id"
    )
