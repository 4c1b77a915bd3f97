"""Requests to confirm a campaign over the soft limit, and the wider scope of a campaign.

A frozen copy, by autogenerate: `storage/tables.py` moves on, this does not.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "launch_requests",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("draft_ref", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("seats_sha256", sa.String(), nullable=False),
        sa.Column("draft_sha256", sa.String(), nullable=False),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("limit", sa.Integer(), nullable=False),
        sa.Column("asked", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("settled_by", sa.String()),
        sa.Column("settled_at", INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_launch_requests"),
    )
    op.create_index("ix_launch_requests_draft_ref", "launch_requests", ["draft_ref"])
    op.create_index(
        "uq_launch_requests_asked",
        "launch_requests",
        ["draft_ref"],
        unique=True,
        sqlite_where=sa.text("state = 'asked'"),
        postgresql_where=sa.text("state = 'asked'"),
    )
    widen_scopes()


def widen_scopes() -> None:
    """Give the scopes that are stored the two fields that they lack, empty: they do not narrow."""
    campaigns = sa.table("campaigns", sa.column("id", sa.String()), sa.column("scope", sa.JSON()))
    connection = op.get_bind()
    for campaign_id, scope in connection.execute(sa.select(campaigns.c.id, campaigns.c.scope)).all():
        wider = {"departments": [], "person_ids": [], **scope}
        connection.execute(sa.update(campaigns).where(campaigns.c.id == campaign_id).values(scope=wider))
