"""A large made-up tenant, written in SQL: a million people are there in half a minute."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from reclaim.domain.ids import RunId
from storage.migrate import upgrade

NOW: Final = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
RUN: Final = RunId("run-1")
PRODUCTS: Final = 40
SEATS_EACH: Final = 2

# Ids in no order, as those of Microsoft; every thirtieth is a guest, every twentieth disabled, every ninth never seen.
_PEOPLE = """
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < :people - 1)
    INSERT INTO people (id, name, upn, enabled, user_type, department, created_at, success_at, interactive_at,
                        sign_ins_read_at, folded, since_run, seen_run)
    SELECT printf('%08x-0000-4000-8000-%012x', (i * 2654435761) & 4294967295, i),
           'Person ' || i, 'p' || i || '@contoso.example', i % 20 <> 0,
           CASE WHEN i % 30 = 0 THEN 'Guest' ELSE 'Member' END, 'Department ' || (i % 50),
           datetime('2024-01-10', '+' || (i % 700) || ' days') || '.000000',
           CASE WHEN i % 9 <> 0 THEN datetime('2026-11-22', '-' || (i % 400) || ' days') || '.000000' END,
           CASE WHEN i % 9 <> 0 THEN datetime('2026-11-22', '-' || ((i * 7) % 420) || ' days') || '.000000' END,
           :now, char(10) || 'person ' || i || char(10), :run, :run
    FROM n
"""
_SEATS = """
    INSERT INTO seats (id, person_id, product_id, since_run, seen_run)
    SELECT id || ':' || product, id, product, :run, :run
    FROM (SELECT id, printf('product-%02d', (:nth * 3 + rowid) % :products) AS product FROM people)
"""
_PATHS = """
    INSERT INTO seat_paths (seat_id, via, state, disabled_plans, updated_at, seen_run)
    SELECT id, 'direct', 'Active', '[]', datetime('2024-03-01', '+' || (rowid % 800) || ' days') || '.000000', :run
    FROM seats
"""


def make(path: Path, *, people: int) -> None:
    """Make a migrated database of so many people with two seats each, read by a completed run, and not judged yet."""
    upgrade(f"sqlite:///{path}")
    given = {"people": people, "products": PRODUCTS, "run": RUN, "now": stored(NOW)}
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN")
        connection.execute(
            "INSERT INTO sync_runs (id, state, started_at, completed_at, people, seats, gone_people, gone_seats,"
            " sign_ins, attempt) VALUES (:run, 'complete', :now, :now, :people, :people * 2, 0, 0, 'known', 1)",
            given,
        )
        for number in range(PRODUCTS):
            product = {"id": f"product-{number:02d}", "name": f"Product {number}", "run": RUN}
            connection.execute("INSERT INTO products (id, kind, name) VALUES (:id, 'sku', :name)", product)
            connection.execute(
                "INSERT INTO skus (id, part_number, enabled, warning, suspended, consumed, assignable, status, plans,"
                " seen_run) VALUES (:id, :id, 60000, 0, 0, 50000, 1, 'Enabled', '[]', :run)",
                product,
            )
        connection.execute(_PEOPLE, given)
        for nth in range(SEATS_EACH):
            connection.execute(_SEATS, {**given, "nth": nth})
        connection.execute(_PATHS, given)
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def stored(at: datetime) -> str:
    """Return an instant as SQLite keeps it."""
    return at.strftime("%Y-%m-%d %H:%M:%S.%f")
