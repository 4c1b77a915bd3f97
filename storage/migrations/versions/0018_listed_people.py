"""Exclusions whose people stand in a list, absences, and whether a sync read who holds an admin role.

A frozen copy: `storage/tables.py` moves on, this does not.
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "listed_people",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("seen_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("kind", "value", "person_id", name="pk_listed_people"),
    )
    op.create_index("ix_listed_people_person_id", "listed_people", ["person_id"])
    op.create_table(
        "absence_lists",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("absences", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_absence_lists"),
    )
    op.create_index(
        "uq_absence_lists_counting",
        "absence_lists",
        ["state"],
        unique=True,
        sqlite_where=sa.text("state = 'counting'"),
        postgresql_where=sa.text("state = 'counting'"),
    )
    op.create_table(
        "absences",
        sa.Column("list_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("starts_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["list_id"], ["absence_lists.id"], name="fk_absences_list_id"),
        sa.PrimaryKeyConstraint("list_id", "person_id", "starts_at", name="pk_absences"),
    )
    op.add_column("sync_runs", sa.Column("roles", sa.String(), nullable=False, server_default="unread"))


def downgrade() -> None:
    op.drop_column("sync_runs", "roles")
    op.drop_table("absences")
    op.drop_table("absence_lists")
    op.drop_table("listed_people")
