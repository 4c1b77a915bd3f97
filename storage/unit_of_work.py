"""Implements `Work`: one transaction with the repositories on its connection."""

import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncTransaction

from reclaim.errors import PortError
from reclaim.ports.engine import Job
from reclaim.ports.storage import UnitOfWork
from storage.courtesy import Courtesy, is_answer
from storage.engine import Database
from storage.repositories.absences import SqlAbsences
from storage.repositories.appeals import SqlAppeals
from storage.repositories.campaigns import SqlCampaigns
from storage.repositories.catalog import SqlCatalog
from storage.repositories.changes import SqlChanges
from storage.repositories.consents import SqlConsents
from storage.repositories.controls import SqlControls
from storage.repositories.events import SqlEvents
from storage.repositories.exclusions import SqlExclusions
from storage.repositories.findings import SqlFindings
from storage.repositories.identities import SqlIdentities
from storage.repositories.items import SqlItems
from storage.repositories.mailboxes import SqlMailboxes
from storage.repositories.messages import SqlMessages
from storage.repositories.orders import SqlOrders
from storage.repositories.people import SqlPeople
from storage.repositories.people_lists import SqlPeopleLists
from storage.repositories.restores import SqlRestores
from storage.repositories.savings import SqlSavings
from storage.repositories.scans import SqlScans
from storage.repositories.seats import SqlSeats
from storage.repositories.slack_installations import SqlSlackInstallations
from storage.repositories.syncs import SqlSyncs
from storage.repositories.tasks import SqlTasks
from storage.repositories.usage import SqlUsage
from storage.repositories.workloads import SqlWorkloadUse

EnqueueIn = Callable[[Connection, Job], None]

# SQLite's primary result codes after which the same call may succeed later.
_PASSING = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR})


class SqlUnitOfWork:
    """One transaction; `transaction` is None for a reading one."""

    def __init__(
        self, connection: AsyncConnection, *, transaction: AsyncTransaction | None, enqueue: EnqueueIn
    ) -> None:
        self._connection = connection
        self._transaction = transaction
        self._enqueue = enqueue
        self.people = SqlPeople(connection)
        self.catalog = SqlCatalog(connection)
        self.seats = SqlSeats(connection)
        self.scans = SqlScans(connection)
        self.findings = SqlFindings(connection)
        self.exclusions = SqlExclusions(connection)
        self.people_lists = SqlPeopleLists(connection)
        self.absences = SqlAbsences(connection)
        self.syncs = SqlSyncs(connection)
        self.changes = SqlChanges(connection)
        self.savings = SqlSavings(connection)
        self.mailboxes = SqlMailboxes(connection)
        self.workload_use = SqlWorkloadUse(connection)
        self.campaigns = SqlCampaigns(connection)
        self.items = SqlItems(connection)
        self.orders = SqlOrders(connection)
        self.restores = SqlRestores(connection)
        self.consents = SqlConsents(connection)
        self.usage = SqlUsage(connection)
        self.messages = SqlMessages(connection)
        self.identities = SqlIdentities(connection)
        self.tasks = SqlTasks(connection)
        self.appeals = SqlAppeals(connection)
        self.slack_installations = SqlSlackInstallations(connection)
        self.events = SqlEvents(connection)
        self.controls = SqlControls(connection)

    async def enqueue(self, job: Job) -> None:
        self._writing()
        await self._connection.run_sync(self._enqueue, job)

    async def commit(self) -> None:
        await self._writing().commit()

    def _writing(self) -> AsyncTransaction:
        if self._transaction is None:
            raise RuntimeError("a reading unit of work keeps nothing: open one with write()")
        return self._transaction


class SqlWork:
    """Opens units of work.

    Args:
        database: Open and migrated.
        enqueue: Puts a job into the transaction of the given connection.
    """

    def __init__(self, database: Database, enqueue: EnqueueIn) -> None:
        self._database = database
        self._enqueue = enqueue
        self._courtesy = Courtesy()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[UnitOfWork]:
        """Open a unit of work that can commit, once. On SQLite it waits for the write lock here; see `storage.turns`.

        Raises:
            PortError: The database did not answer in time, or went away. Trying again later can help.
        """
        await self._courtesy.give_way()
        with translated():
            async with (
                self._database.turn(answer=is_answer()),
                self._database.writes.connect() as connection,
                connection.begin() as transaction,
            ):
                yield SqlUnitOfWork(connection, transaction=transaction, enqueue=self._enqueue)
                if transaction.is_active:
                    await transaction.rollback()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[UnitOfWork]:
        """Open a unit of work that sees one state of the data, takes no write lock and keeps nothing.

        Raises:
            PortError: As for `write`.
        """
        with translated():
            async with self._database.reads.connect() as connection:
                yield SqlUnitOfWork(connection, transaction=None, enqueue=self._enqueue)

    def answering(self) -> AbstractContextManager[None]:
        """Say that somebody waits; see `storage.courtesy`."""
        return self._courtesy.answering()

    async def give_way(self) -> None:
        """Let those go first who wait; see `storage.courtesy`."""
        await self._courtesy.give_way()


@contextmanager
def translated() -> Iterator[None]:
    """Turn a database that is busy, full or gone into a PortError; a mistake of ours stays what it is."""
    try:
        yield
    except PoolTimeout as error:
        raise PortError("The database is busy. Please try again.") from error
    except DBAPIError as error:
        if not _passing(error):
            raise
        raise PortError("The database did not answer. Please try again.") from error


def _passing(error: DBAPIError) -> bool:
    """Whether the same call may succeed later."""
    if isinstance(error.orig, sqlite3.Error):
        code = getattr(error.orig, "sqlite_errorcode", sqlite3.SQLITE_OK)
        return code & 0xFF in _PASSING  # an extended code keeps the primary one in its low byte
    # psycopg's OperationalError: connection lost, deadlock, serialization failure, lock not available, disk full.
    return isinstance(error, OperationalError | InterfaceError)
