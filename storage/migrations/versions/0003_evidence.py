"""Attestation events, and the triggers that make them insert-only.

A frozen copy, by autogenerate: `storage/tables.py` moves on, this does not.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

INSTANT = sa.DateTime(timezone=True)

# An event is never changed and never deleted; a personal value may be deleted (erasure), never rewritten. In SQLite
# REPLACE deletes without firing a DELETE trigger, so an insert over an existing row is refused too.
SQLITE_TRIGGERS = (
    """
    CREATE TRIGGER attestation_events_no_update BEFORE UPDATE ON attestation_events
    BEGIN SELECT RAISE(ABORT, 'attestation_events is insert-only'); END
    """,
    """
    CREATE TRIGGER attestation_events_no_delete BEFORE DELETE ON attestation_events
    BEGIN SELECT RAISE(ABORT, 'attestation_events is insert-only'); END
    """,
    """
    CREATE TRIGGER attestation_events_no_replace BEFORE INSERT ON attestation_events
    WHEN EXISTS (SELECT 1 FROM attestation_events WHERE id = NEW.id OR seq = NEW.seq)
    BEGIN SELECT RAISE(ABORT, 'attestation_events is insert-only: id and seq are unique'); END
    """,
    """
    CREATE TRIGGER event_values_no_update BEFORE UPDATE ON event_values
    BEGIN SELECT RAISE(ABORT, 'event_values is insert-only'); END
    """,
    """
    CREATE TRIGGER event_values_no_replace BEFORE INSERT ON event_values
    WHEN EXISTS (SELECT 1 FROM event_values WHERE event_id = NEW.event_id AND field = NEW.field)
    BEGIN SELECT RAISE(ABORT, 'event_values is insert-only: event_id and field are unique'); END
    """,
)
POSTGRESQL_TRIGGERS = (
    """
    CREATE FUNCTION reclaim_insert_only() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION '% is insert-only', TG_TABLE_NAME; END $$
    """,
    """
    CREATE TRIGGER attestation_events_insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON attestation_events
    FOR EACH STATEMENT EXECUTE FUNCTION reclaim_insert_only()
    """,
    """
    CREATE TRIGGER event_values_insert_only BEFORE UPDATE ON event_values
    FOR EACH STATEMENT EXECUTE FUNCTION reclaim_insert_only()
    """,
)


def upgrade() -> None:
    create_tables()
    triggers = SQLITE_TRIGGERS if op.get_bind().dialect.name == "sqlite" else POSTGRESQL_TRIGGERS
    for trigger in triggers:
        op.execute(trigger)


def create_tables() -> None:
    op.create_table(
        "attestation_events",
        sa.Column("seq", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("campaign_id", sa.String()),
        sa.Column("item_id", sa.String()),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_attestation_events"),
        sa.UniqueConstraint("id", name="uq_attestation_events_id"),
    )
    op.create_index("ix_attestation_events_campaign_id", "attestation_events", ["campaign_id"])
    op.create_index("ix_attestation_events_item_id", "attestation_events", ["item_id"])
    op.create_table(
        "event_values",
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["attestation_events.id"], name="fk_event_values_event_id"),
        sa.PrimaryKeyConstraint("event_id", "field", name="pk_event_values"),
    )
