"""The installation and the directory, in generations.

A frozen copy, by autogenerate: `storage/tables.py` moves on, this does not.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "installation",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_installation"),
    )
    op.create_table(
        "freezes",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("stops", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("ended_at", INSTANT),
        sa.Column("ended_by", sa.String()),
        sa.PrimaryKeyConstraint("id", name="pk_freezes"),
    )
    op.create_index(
        "uq_freezes_open",
        "freezes",
        ["stops"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "resume_requests",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("freeze_id", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["freeze_id"], ["freezes.id"], name="fk_resume_requests_freeze_id"),
        sa.PrimaryKeyConstraint("id", name="pk_resume_requests"),
    )
    op.create_index("ix_resume_requests_freeze_id", "resume_requests", ["freeze_id"])
    op.create_table(
        "drafts",
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("state", sa.JSON(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("ref", name="pk_drafts"),
    )
    op.create_table(
        "seen_requests",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("keep_until", INSTANT),
        sa.PrimaryKeyConstraint("key", name="pk_seen_requests"),
    )
    op.create_index("ix_seen_requests_keep_until", "seen_requests", ["keep_until"])
    op.create_table(
        "sync_runs",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("completed_at", INSTANT),
        sa.Column("requested_by", sa.String()),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("seats", sa.Integer(), nullable=False),
        sa.Column("gone_people", sa.Integer(), nullable=False),
        sa.Column("gone_seats", sa.Integer(), nullable=False),
        sa.Column("sign_ins", sa.String(), nullable=False),
        sa.Column("error", sa.Text()),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sync_runs"),
    )
    op.create_index(
        "uq_sync_runs_running",
        "sync_runs",
        ["state"],
        unique=True,
        sqlite_where=sa.text("state = 'running'"),
        postgresql_where=sa.text("state = 'running'"),
    )
    op.create_table(
        "sync_cursors",
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("stream", sa.String(), nullable=False),
        sa.Column("next_cursor", sa.Text()),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.Column("page", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["sync_runs.id"], name="fk_sync_cursors_run_id"),
        sa.PrimaryKeyConstraint("run_id", "stream", name="pk_sync_cursors"),
    )
    op.create_table(
        "sync_requests",
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("stream", sa.String(), nullable=False),
        sa.Column("page", sa.Integer(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["sync_runs.id"], name="fk_sync_requests_run_id"),
        sa.PrimaryKeyConstraint("run_id", "stream", "page", name="pk_sync_requests"),
    )
    op.create_table(
        "people",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("upn", sa.String(), nullable=False),
        sa.Column("mail", sa.String()),
        sa.Column("enabled", sa.Boolean()),
        sa.Column("user_type", sa.String()),
        sa.Column("department", sa.String()),
        sa.Column("employee_type", sa.String()),
        sa.Column("usage_location", sa.String()),
        sa.Column("created_at", INSTANT),
        sa.Column("manager_id", sa.String()),
        sa.Column("success_at", INSTANT),
        sa.Column("interactive_at", INSTANT),
        sa.Column("background_at", INSTANT),
        sa.Column("sign_ins_run", sa.String()),
        sa.Column("sign_ins_read_at", INSTANT),
        sa.Column("disabled_seen_at", INSTANT),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.Column("since_run", sa.String(), nullable=False),
        sa.Column("seen_run", sa.String(), nullable=False),
        sa.Column("gone_at", INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_people"),
    )
    op.create_index("ix_people_manager_id", "people", ["manager_id"])
    op.create_index("ix_people_seen_run", "people", ["seen_run"])
    op.create_index("ix_people_upn", "people", ["upn"])
    op.create_table(
        "products",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_products"),
    )
    op.create_table(
        "skus",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("part_number", sa.String(), nullable=False),
        sa.Column("enabled", sa.Integer(), nullable=False),
        sa.Column("warning", sa.Integer(), nullable=False),
        sa.Column("suspended", sa.Integer(), nullable=False),
        sa.Column("consumed", sa.Integer(), nullable=False),
        sa.Column("assignable", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("plans", sa.JSON(), nullable=False),
        sa.Column("seen_run", sa.String(), nullable=False),
        sa.Column("gone_at", INSTANT),
        sa.ForeignKeyConstraint(["id"], ["products.id"], name="fk_skus_id"),
        sa.PrimaryKeyConstraint("id", name="pk_skus"),
    )
    op.create_index("ix_skus_part_number", "skus", ["part_number"])
    op.create_table(
        "groups",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("dynamic", sa.Boolean(), nullable=False),
        sa.Column("security_enabled", sa.Boolean()),
        sa.Column("mail_enabled", sa.Boolean()),
        sa.Column("unified", sa.Boolean(), nullable=False),
        sa.Column("synced", sa.Boolean()),
        sa.Column("role_assignable", sa.Boolean()),
        sa.Column("restricted", sa.Boolean()),
        sa.Column("has_nested_groups", sa.Boolean()),
        sa.Column("seen_run", sa.String(), nullable=False),
        sa.Column("gone_at", INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_groups"),
    )
    op.create_table(
        "group_products",
        sa.Column("group_id", sa.String(), nullable=False),
        sa.Column("product_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name="fk_group_products_group_id"),
        sa.PrimaryKeyConstraint("group_id", "product_id", name="pk_group_products"),
    )
    op.create_table(
        "role_members",
        sa.Column("group_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("seen_run", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("group_id", "person_id", name="pk_role_members"),
    )
    op.create_table(
        "seats",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("product_id", sa.String(), nullable=False),
        sa.Column("since_run", sa.String(), nullable=False),
        sa.Column("seen_run", sa.String(), nullable=False),
        sa.Column("gone_at", INSTANT),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_seats_person_id"),
        sa.PrimaryKeyConstraint("id", name="pk_seats"),
        sa.UniqueConstraint("person_id", "product_id", name="uq_seats_person_id_product_id"),
    )
    op.create_index("ix_seats_person_id", "seats", ["person_id"])
    op.create_index("ix_seats_product_id", "seats", ["product_id"])
    op.create_index("ix_seats_seen_run", "seats", ["seen_run"])
    op.create_table(
        "seat_paths",
        sa.Column("seat_id", sa.String(), nullable=False),
        sa.Column("via", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("error", sa.String()),
        sa.Column("disabled_plans", sa.JSON(), nullable=False),
        sa.Column("updated_at", INSTANT),
        sa.Column("seen_run", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["seat_id"], ["seats.id"], name="fk_seat_paths_seat_id"),
        sa.PrimaryKeyConstraint("seat_id", "via", name="pk_seat_paths"),
    )
    op.create_table(
        "prices",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("renews_on", sa.Date()),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("source", "sku", "valid_from", name="pk_prices"),
    )
    op.create_table(
        "findings",
        sa.Column("seat_id", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("product_id", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("quiet_since", INSTANT, nullable=False),
        sa.Column("last_seen_at", INSTANT),
        sa.Column("last_seen_kind", sa.String()),
        sa.Column("assigned_at", INSTANT),
        sa.Column("data_as_of", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["sync_runs.id"], name="fk_findings_run_id"),
        sa.ForeignKeyConstraint(["seat_id"], ["seats.id"], name="fk_findings_seat_id"),
        sa.PrimaryKeyConstraint("seat_id", name="pk_findings"),
    )
    op.create_index("ix_findings_person_id", "findings", ["person_id"])
    op.create_index("ix_findings_window", "findings", ["product_id", "rule", "quiet_since"])
