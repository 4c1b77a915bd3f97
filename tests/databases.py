"""Migrated, empty databases for tests: a copied file on SQLite; on PostgreSQL one database, emptied after each test."""

import json
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg import sql
from sqlalchemy import URL, Connection, insert, make_url, select

from reclaim.ports.engine import Job
from storage.engine import Database
from storage.migrate import upgrade
from storage.tables import attestation_events, installation, metadata


def migrate_sqlite_template(folder: Path) -> Path:
    """Return a migrated SQLite file to copy; closed, so that nothing of it is left in a -wal file."""
    path = folder / "template.db"
    upgrade(f"sqlite:///{path}")
    return path


def copy_sqlite(template: Path, folder: Path) -> str:
    """Return the URL of a copy of the template in `folder`."""
    path = folder / "reclaim.db"
    shutil.copyfile(template, path)
    return f"sqlite:///{path}"


@contextmanager
def postgres_database(server: str) -> Iterator[URL]:
    """Make an empty database on the server, give its URL, and drop it with whatever is still connected."""
    name = f"reclaim_test_{uuid4().hex}"
    new = sql.Identifier(name)
    url = make_url(server).set(drivername="postgresql")
    with _connected(url) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(new))
        # Tests kill no server, so they need not wait for its disk.
        connection.execute(sql.SQL("ALTER DATABASE {} SET synchronous_commit = off").format(new))
        try:
            yield url.set(database=name)
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(new))


def empty_postgres(url: URL) -> None:
    """Delete every row of ours and number from 1 again, which takes a fraction of the time of a new database."""
    guarded = sql.Identifier(attestation_events.name)
    with _connected(url) as connection, connection.transaction():
        connection.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(guarded))
        for table in reversed(metadata.sorted_tables):
            connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table.name)))
        connection.execute(sql.SQL("ALTER TABLE {} ENABLE TRIGGER USER").format(guarded))
        for (sequence,) in connection.execute("SELECT sequencename FROM pg_sequences").fetchall():
            connection.execute(sql.SQL("ALTER SEQUENCE {} RESTART").format(sql.Identifier(sequence)))


def _connected(url: URL) -> closing[psycopg.Connection]:
    return closing(psycopg.connect(url.render_as_string(hide_password=False), autocommit=True))


def store_job(connection: Connection, job: Job) -> None:
    """Stand in for the engine's enqueue: a row in the transaction of the connection."""
    told = json.dumps({"kind": job.kind, "args": dict(job.args)}, sort_keys=True)
    connection.execute(insert(installation).values(key=f"job:{job.key}", value=told))


async def stored_jobs(database: Database) -> list[Job]:
    """Return what `store_job` left behind, by key."""
    query = select(installation).where(installation.c.key.startswith("job:")).order_by(installation.c.key)
    async with database.reads.connect() as connection:
        rows = (await connection.execute(query)).all()
    told = [(row.key.removeprefix("job:"), json.loads(row.value)) for row in rows]
    return [Job(kind=one["kind"], key=key, args=one["args"]) for key, one in told]
