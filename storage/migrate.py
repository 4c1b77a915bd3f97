"""Brings the tables of a database to what this version of Reclaim needs. DBOS' tables beside ours are left alone."""

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from storage.engine import plain_url, prepare_file, sqlite_path, sync_engine
from storage.tables import metadata

# Any number that means only us on that server: replicas that start together migrate one after the other.
_LOCK = 7_325_246


def upgrade(url: str) -> None:
    """Bring the database to the newest revision; make a SQLite file that is missing. Safe to repeat.

    Raises:
        InvalidRequest: The URL is of another kind.
        PortError: The SQLite file cannot be opened.
    """
    plain = plain_url(url)
    if path := sqlite_path(plain):
        prepare_file(path)
    engine = sync_engine(plain)
    try:
        # One transaction around everything, on SQLite too as our engine begins it itself: whole or not at all.
        with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            command.upgrade(configuration(connection), "head")
    finally:
        engine.dispose()


def head_is_current(url: str) -> bool:
    """Return whether the database has exactly the revision of this code; neither an older nor a newer one will do."""
    plain = plain_url(url)
    path = sqlite_path(plain)
    if path is not None and not path.exists():
        return False
    engine = sync_engine(plain)
    try:
        with engine.connect() as connection:
            present = MigrationContext.configure(connection).get_current_heads()
            wanted = ScriptDirectory.from_config(configuration(connection)).get_heads()
    finally:
        engine.dispose()
    return set(present) == set(wanted)


def configuration(connection: Connection) -> Config:
    """Return Alembic's configuration for a connection, which must be in a transaction of the caller."""
    config = Config()
    config.set_main_option("script_location", "storage:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """Return whether Alembic may look at something found in the database: on SQLite DBOS' tables stand beside ours."""
    return kind != "table" or name in metadata.tables
