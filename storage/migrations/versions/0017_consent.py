"""Consent programs; and a question may be about a consent request as well as about a review item.

A frozen copy, by autogenerate: `storage/tables.py` moves on, this does not.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    # SQLite makes a changed table anew, and cannot take the partial index along.
    op.drop_index("uq_questions_open", "questions")
    with op.batch_alter_table("questions") as questions:
        questions.drop_constraint("fk_questions_item_id", type_="foreignkey")
        questions.alter_column("item_id", new_column_name="ref")
    _open_index()
    op.alter_column("answers", "item_id", new_column_name="ref")
    op.create_table(
        "consent_programs",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("same_name", sa.String(), nullable=False),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("group_id", sa.String(), nullable=False),
        sa.Column("group_name", sa.String(), nullable=False),
        sa.Column("product_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("rests", sa.Boolean(), nullable=False),
        sa.Column("owner_id", sa.String(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("next_run_at", INSTANT, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_programs")),
    )
    op.create_index(
        "uq_consent_programs_group_id",
        "consent_programs",
        ["group_id"],
        unique=True,
        sqlite_where=sa.text("rests IS 0"),
        postgresql_where=sa.text("rests IS false"),
    )
    op.create_index(
        "uq_consent_programs_same_name",
        "consent_programs",
        ["same_name"],
        unique=True,
        sqlite_where=sa.text("rests IS 0"),
        postgresql_where=sa.text("rests IS false"),
    )
    op.create_table(
        "wait_list",
        sa.Column("product_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("product_id", "person_id", name=op.f("pk_wait_list")),
    )
    op.create_table(
        "consent_runs",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("program_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("people", sa.JSON(), nullable=False),
        sa.Column("devices", sa.JSON(), nullable=False),
        sa.Column("data_as_of", INSTANT, nullable=True),
        sa.Column("unmatched", sa.Integer(), nullable=False),
        sa.Column("ambiguous", sa.Integer(), nullable=False),
        sa.Column("after", sa.String(), nullable=True),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("not_before", INSTANT, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["program_id"], ["consent_programs.id"], name=op.f("fk_consent_runs_program_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_runs")),
    )
    op.create_index("ix_consent_runs_program", "consent_runs", ["program_id", "started_at"])
    op.create_index(
        "uq_consent_runs_running",
        "consent_runs",
        ["program_id"],
        unique=True,
        sqlite_where=sa.text("state = 'running'"),
        postgresql_where=sa.text("state = 'running'"),
    )
    op.create_table(
        "consent_requests",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("program_id", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("product_id", sa.String(), nullable=False),
        sa.Column("group_id", sa.String(), nullable=False),
        sa.Column("last_used_at", INSTANT, nullable=True),
        sa.Column("unused_days", sa.Integer(), nullable=False),
        sa.Column("device", sa.String(), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("observed_at", INSTANT, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("found_at", INSTANT, nullable=False),
        sa.Column("asked_at", INSTANT, nullable=True),
        sa.Column("due_at", INSTANT, nullable=True),
        sa.Column("later_until", INSTANT, nullable=True),
        sa.Column("had_time", sa.Boolean(), nullable=False),
        sa.Column("reminded", sa.Integer(), nullable=False),
        sa.Column("manager_id", sa.String(), nullable=True),
        sa.Column("answered_by", sa.String(), nullable=True),
        sa.Column("answered_at", INSTANT, nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("approved_by", sa.String(), nullable=True),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("why", sa.String(), nullable=True),
        sa.Column("detail", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["program_id"], ["consent_programs.id"], name=op.f("fk_consent_requests_program_id")),
        sa.ForeignKeyConstraint(["run_id"], ["consent_runs.id"], name=op.f("fk_consent_requests_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_requests")),
    )
    op.create_index(
        "ix_consent_requests_manager",
        "consent_requests",
        ["manager_id"],
        sqlite_where=sa.text("manager_id IS NOT NULL"),
        postgresql_where=sa.text("manager_id IS NOT NULL"),
    )
    op.create_index("ix_consent_requests_asked", "consent_requests", ["program_id", "asked_at"])
    op.create_index(op.f("ix_consent_requests_person_id"), "consent_requests", ["person_id"])
    op.create_index("ix_consent_requests_program", "consent_requests", ["program_id", "state", "id"])
    op.create_index("ix_consent_requests_state", "consent_requests", ["state", "due_at"])
    op.create_table(
        "membership_changes",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("program_id", sa.String(), nullable=False),
        sa.Column("request_id", sa.String(), nullable=True),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("group_id", sa.String(), nullable=False),
        sa.Column("product_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("clicked", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("not_before", INSTANT, nullable=True),
        sa.Column("checks", sa.Integer(), nullable=False),
        sa.Column("write_id", sa.String(), nullable=True),
        sa.Column("answer_id", sa.String(), nullable=True),
        sa.Column("maybe_written", sa.Boolean(), nullable=False),
        sa.Column("intended_at", INSTANT, nullable=True),
        sa.Column("written_at", INSTANT, nullable=True),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("result", sa.String(), nullable=True),
        sa.Column("detail", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["program_id"], ["consent_programs.id"], name=op.f("fk_membership_changes_program_id")),
        sa.ForeignKeyConstraint(["request_id"], ["consent_requests.id"], name=op.f("fk_membership_changes_request_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_membership_changes")),
    )
    op.create_index("ix_membership_changes_due", "membership_changes", ["done", "not_before"])
    op.create_index("ix_membership_changes_program", "membership_changes", ["program_id", "asked_at"])
    op.create_index(op.f("ix_membership_changes_request_id"), "membership_changes", ["request_id"])
    op.create_index("ix_membership_changes_written", "membership_changes", ["written_at"])
    op.create_index(
        "uq_membership_changes_running",
        "membership_changes",
        ["person_id", "group_id"],
        unique=True,
        sqlite_where=sa.text("done IS 0"),
        postgresql_where=sa.text("done IS false"),
    )
    op.create_table(
        "usage_imports",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("application", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("unmatched", sa.Integer(), nullable=False),
        sa.Column("ambiguous", sa.Integer(), nullable=False),
        sa.Column("newest", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_usage_imports")),
    )
    op.create_index(
        "uq_usage_imports_current",
        "usage_imports",
        ["source", "application"],
        unique=True,
        sqlite_where=sa.text("state = 'current'"),
        postgresql_where=sa.text("state = 'current'"),
    )
    op.create_table(
        "usage_rows",
        sa.Column("import_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("device", sa.String(), nullable=True),
        sa.Column("last_used_at", INSTANT, nullable=True),
        sa.Column("unused_days", sa.Integer(), nullable=True),
        sa.Column("observed_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["usage_imports.id"], name=op.f("fk_usage_rows_import_id")),
        sa.PrimaryKeyConstraint("import_id", "person_id", "seq", name=op.f("pk_usage_rows")),
    )


def downgrade() -> None:
    for table in (
        "usage_rows",
        "usage_imports",
        "wait_list",
        "membership_changes",
        "consent_requests",
        "consent_runs",
        "consent_programs",
    ):
        op.drop_table(table)
    # What was asked and answered in a consent program has no place in the tables of before.
    op.execute("DELETE FROM questions WHERE ref NOT IN (SELECT id FROM review_items)")
    op.execute("DELETE FROM answers WHERE ref NOT IN (SELECT id FROM review_items)")
    op.alter_column("answers", "ref", new_column_name="item_id")
    op.drop_index("uq_questions_open", "questions")
    with op.batch_alter_table("questions") as questions:
        questions.alter_column("ref", new_column_name="item_id")
        questions.create_foreign_key("fk_questions_item_id", "review_items", ["item_id"], ["id"])
    _open_index()


def _open_index() -> None:
    op.create_index(
        "uq_questions_open",
        "questions",
        ["person_id", "product_id"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
