"""Exclusions, and idle scans that are written in chunks: findings by scan, with their sums by day.

A frozen copy, by autogenerate: `storage/tables.py` moves on, this does not. The findings of before are dropped and not
carried over: the next sync judges every seat anew.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "exclusions",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("same_value", sa.String(), nullable=False),
        sa.Column("strength", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("until", INSTANT),
        sa.Column("ended_at", INSTANT),
        sa.Column("ended_by", sa.String()),
        sa.PrimaryKeyConstraint("id", name="pk_exclusions"),
    )
    op.create_index(
        "uq_exclusions_open",
        "exclusions",
        ["kind", "same_value"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "ix_seats_gone_at",
        "seats",
        ["gone_at"],
        sqlite_where=sa.text("gone_at IS NOT NULL"),
        postgresql_where=sa.text("gone_at IS NOT NULL"),
    )
    op.execute("DELETE FROM installation WHERE key = 'seats_not_judged'")
    op.drop_table("findings")
    create_scans()


def create_scans() -> None:
    op.create_table(
        "idle_scans",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("judged_at", INSTANT, nullable=False),
        sa.Column("data_as_of", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["sync_runs.id"], name="fk_idle_scans_run_id"),
        sa.PrimaryKeyConstraint("id", name="pk_idle_scans"),
    )
    op.create_table(
        "findings",
        sa.Column("scan_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seat_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("product_id", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("quiet_since", INSTANT, nullable=False),
        sa.Column("last_seen_at", INSTANT),
        sa.Column("last_seen_kind", sa.String()),
        sa.Column("assigned_at", INSTANT),
        sa.Column("exclusion_id", sa.String()),
        sa.PrimaryKeyConstraint("scan_id", "seat_id", name="pk_findings"),
    )
    op.create_index(
        "ix_findings_list",
        "findings",
        ["scan_id", "product_id", "quiet_since", "seat_id", "rule", "exclusion_id"],
    )
    op.create_table(
        "finding_days",
        sa.Column("scan_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("product_id", sa.String(), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("exclusion_id", sa.String(), nullable=False),
        sa.Column("seats", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("scan_id", "product_id", "day", "rule", "exclusion_id", name="pk_finding_days"),
    )
    op.create_table(
        "scan_verdicts",
        sa.Column("scan_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("product_id", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("seats", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("scan_id", "product_id", "verdict", "held", name="pk_scan_verdicts"),
    )
