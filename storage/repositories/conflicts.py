"""What the campaign repositories say when somebody was first."""

import sqlite3

from psycopg.errors import UniqueViolation
from sqlalchemy.exc import IntegrityError

from reclaim.errors import Conflict

_UNIQUE_IN_SQLITE = frozenset({sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY})


def changed() -> Conflict:
    """Return the refusal of a save whose version is not the next one."""
    return Conflict("It was changed a moment ago. You see the present state now.")


def is_duplicate(error: IntegrityError) -> bool:
    """Whether a unique constraint refused the row: somebody was first. Any other constraint is a mistake of ours."""
    original = error.orig
    if isinstance(original, sqlite3.IntegrityError):
        return original.sqlite_errorcode in _UNIQUE_IN_SQLITE
    return isinstance(original, UniqueViolation)
