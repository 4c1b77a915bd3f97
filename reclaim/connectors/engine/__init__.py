"""Durable work on DBOS Transact, behind `reclaim.ports.engine.Engine`. The only home of DBOS.

Jobs lie in the database of the product, so that a unit of work can enqueue in its own transaction. Of DBOS we use a
workflow with one step per job kind, throttled queues, and recovery; none of its sleeps, delays and limiters: they read
the wall clock, and ours steps. `DBOS.reset_system_database` is never called: on SQLite it deletes the whole file.

dbos_engine.py   `DbosEngine`
database.py      the engine's own connections, and its tables (`migrate`)
lease.py         who is alive among several processes on PostgreSQL
"""

from reclaim.connectors.engine.database import migrate
from reclaim.connectors.engine.dbos_engine import DbosEngine

__all__ = ["DbosEngine", "migrate"]
