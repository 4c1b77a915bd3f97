import os
from datetime import UTC, datetime
from importlib import import_module
from importlib.resources import files
from pathlib import Path

import pytest
from alembic import command
from alembic.migration import MigrationContext
from alembic.operations import Operations
from dbos import DBOS
from sqlalchemy import create_engine, insert, inspect, select, text
from sqlalchemy.exc import OperationalError

from reclaim.domain.campaign import Scope
from reclaim.domain.ids import ProductId
from storage.engine import plain_url, sync_engine
from storage.migrate import configuration, head_is_current, upgrade
from storage.repositories.json_columns import decode_scope
from storage.tables import campaigns, metadata
from tests.databases import postgres_database


def check(url: str) -> None:
    """Fail if the migrations and `storage.tables` do not describe the same tables."""
    engine = sync_engine(plain_url(url))
    try:
        with engine.begin() as connection:
            command.check(configuration(connection))
    finally:
        engine.dispose()


def table_names(path: Path) -> set[str]:
    engine = create_engine(f"sqlite:///{path}")
    try:
        return set(inspect(engine).get_table_names())
    finally:
        engine.dispose()


def test_the_migrations_make_the_tables_of_the_code(database_url: str) -> None:
    check(database_url)

    assert head_is_current(database_url)


def test_a_second_upgrade_changes_nothing(database_url: str) -> None:
    upgrade(database_url)

    check(database_url)


def test_the_tables_of_dbos_share_no_name_with_ours_and_are_left_alone(sqlite_url: str, tmp_path: Path) -> None:
    alone = tmp_path / "dbos.db"
    DBOS.migrate(f"sqlite:///{alone}")
    theirs = table_names(alone)

    DBOS.migrate(sqlite_url)
    check(sqlite_url)
    upgrade(sqlite_url)

    assert theirs & set(metadata.tables) == set()
    assert "workflow_status" in theirs
    assert table_names(tmp_path / "reclaim.db") == theirs | set(metadata.tables) | {"alembic_version"}


def test_an_upgrade_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "reclaim.db"
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE attestation_events (in_the_way INTEGER)"))
    engine.dispose()

    with pytest.raises(OperationalError, match="already exists"):
        upgrade(f"sqlite:///{path}")

    assert table_names(path) == {"attestation_events"}


def test_a_database_that_is_not_migrated_is_not_current(tmp_path: Path) -> None:
    missing = tmp_path / "missing.db"

    assert not head_is_current(f"sqlite:///{missing}")
    assert not missing.exists()


def test_an_empty_postgresql_database_is_not_current(postgres_url: str) -> None:
    with postgres_database(postgres_url) as url:
        assert not head_is_current(url.render_as_string(hide_password=False))


@pytest.mark.skipif(os.name == "nt", reason="Windows has no file modes")
def test_an_upgrade_makes_a_file_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "reclaim.db"

    upgrade(f"sqlite:///{path}")

    assert path.stat().st_mode & 0o777 == 0o600


def test_a_scope_that_was_stored_before_it_knew_departments_is_widened(database_url: str) -> None:
    engine = sync_engine(plain_url(database_url))
    stored = {"days": 90, "product_ids": ["visio"], "rules": [], "seat_ids": []}
    with engine.begin() as connection:
        connection.execute(insert(campaigns).values({**_campaign_row(), "scope": stored}))
        with Operations.context(MigrationContext.configure(connection)):
            import_module("storage.migrations.versions.0006_start").widen_scopes()
        found = connection.execute(select(campaigns.c.scope)).scalar_one()
    engine.dispose()

    assert decode_scope(found) == Scope(days=90, product_ids=(ProductId("visio"),))


def test_findings_of_before_are_kept_by_product_and_in_the_order_of_a_list(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    _findings_of_before(f"sqlite:///{tmp_path / 'old.db'}")
    with postgres_database(request.getfixturevalue("postgres_url")) as url:
        _findings_of_before(url.render_as_string(hide_password=False))


def _findings_of_before(url: str) -> None:
    engine = sync_engine(plain_url(url))
    columns = "scan_id, seat_id, person_id, product_id, rule, quiet_since, last_seen_at, last_seen_kind, exclusion_id"
    old = [
        "7, 'a:visio', 'a', 'visio', 'idle', '2026-03-02 00:00:00', '2026-03-01 00:00:00', 'success', 'x1'",
        "7, 'b:project', 'b', 'project', 'disabled', '2026-04-02 00:00:00', NULL, NULL, NULL",
        "7, 'b:visio', 'b', 'visio', 'idle', '2026-02-01 00:00:00', NULL, NULL, NULL",
    ]
    with engine.begin() as connection:
        command.upgrade(configuration(connection), "0009")
        for values in old:
            connection.execute(text(f"INSERT INTO findings ({columns}) VALUES ({values})"))  # noqa: S608
    engine.dispose()

    upgrade(url)

    check(url)
    engine = sync_engine(plain_url(url))
    with engine.begin() as connection:
        kept = connection.execute(text(f"SELECT {columns} FROM findings ORDER BY scan_id, product_id, seat_id")).all()  # noqa: S608
        in_order = connection.execute(text("SELECT product_id, seat_id, rule, exclusion_id FROM finding_order"
                                           " ORDER BY scan_id, product_id, quiet_since, seat_id")).all()  # fmt: skip
    engine.dispose()
    assert [(row.seat_id, row.last_seen_kind) for row in kept] == [
        ("b:project", None), ("a:visio", "success"), ("b:visio", None)]  # fmt: skip
    assert [tuple(row) for row in in_order] == [
        ("project", "b:project", "disabled", None), ("visio", "b:visio", "idle", None), ("visio", "a:visio", "idle", "x1")
    ]  # fmt: skip


def _campaign_row() -> dict[str, object]:
    at = datetime(2026, 11, 23, tzinfo=UTC)
    instants = dict.fromkeys(("created_at", "due_at", "closes_at", "shown_close_at"), at)
    texts = dict.fromkeys(("id", "name", "state", "owner_id", "zone", "strategy", "silence", "mode"), "x")
    return {**texts, **instants, "version": 1, "attempt": 0}


def test_the_scripts_are_part_of_the_package() -> None:
    versions = files("storage") / "migrations" / "versions"

    assert {
        "0001_directory.py",
        "0002_campaigns.py",
        "0003_evidence.py",
        "0005_owners.py",
        "0006_start.py",
    } <= {file.name for file in versions.iterdir()}
