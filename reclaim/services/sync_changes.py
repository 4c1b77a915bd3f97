"""Read who has changed since the last sync, and those people whole: what a delta query tells of them is not relied upon.

It tells of a change late, twice, or after the next one. So every id that it names is read anew by itself, and whoever
Microsoft does not know then is gone; that a row says `@removed` alone takes nobody away.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import structlog

from reclaim.domain.ids import RunId
from reclaim.domain.syncing import CHANGED_PEOPLE_STREAM, CHANGES_STREAM, FROM_HERE_STREAM, SyncKind, SyncState
from reclaim.errors import DirectoryError
from reclaim.ports.directory import MOST_PEOPLE_NOW, ChangesPage, Directory, PeopleNow, lost_track
from reclaim.ports.storage import StreamCursor, SyncRun, UnitOfWork, Work
from reclaim.ports.system import Clock
from reclaim.services.superseded import Superseded

OnPage = Callable[[], Awaitable[None]]

_log = structlog.get_logger(__name__)


class LostTrack(Exception):
    """Microsoft cannot tell what has changed since the last sync: the whole tenant has to be read."""


class SyncChanges:
    """Takes the link at which a full run begins, and reads what has happened behind the newest one."""

    def __init__(self, *, work: Work, clock: Clock, directory: Directory) -> None:
        self._work = work
        self._clock = clock
        self._directory = directory

    async def begin_here(self, run: RunId) -> None:
        """Keep from where changes are to be read once this full run is complete.

        Asked before anything is read: what changes meanwhile is then read twice, and never missed.

        Raises:
            DirectoryError: It may pass. A tenant that does not tell of changes is read in full each time.
            Superseded: The run has ended.
        """
        async with self._work.read() as reading:
            stored = await reading.syncs.cursor(run, FROM_HERE_STREAM)
        if stored is not None:
            return
        try:
            page = await self._directory.changes(None)
        except DirectoryError as error:
            if not error.permanent:
                raise
            _log.warning("changes cannot be followed", run=run, status=error.status, graph_code=error.graph_code)
            return
        async with self._work.write() as unit:
            found = await unit.syncs.get(run)
            if found is None or found.state != SyncState.RUNNING:
                raise Superseded
            await unit.syncs.save_cursor(
                run, StreamCursor(stream=FROM_HERE_STREAM, next_cursor=page.link, done=True, page=1), page.request
            )
            await unit.commit()

    async def read_all(self, run: RunId, on_page: OnPage) -> None:
        """Read what this run has not read yet.

        Args:
            run: A running changes run.
            on_page: Called after each stored page or batch.

        Raises:
            LostTrack: Only a full read helps.
            DirectoryError: Something could not be read; everything before it is stored.
            Superseded: Another job reads this run, or the run has ended or become a full one.
        """
        cursor = await self._place(run, CHANGES_STREAM)
        while not cursor.done:
            cursor = await self._keep(run, cursor, await self._page(run, cursor))
            await on_page()
        place = await self._place(run, CHANGED_PEOPLE_STREAM)
        while True:
            async with self._work.read() as reading:
                ids = await reading.changes.waiting(run, MOST_PEOPLE_NOW)
            if not ids:
                return
            place = await self._look(run, place, await self._directory.people_now(ids))
            await on_page()

    async def _place(self, run: RunId, stream: str) -> StreamCursor:
        async with self._work.read() as reading:
            stored = await reading.syncs.cursor(run, stream)
        return stored or StreamCursor(stream=stream, next_cursor=None, done=False, page=0)

    async def _page(self, run: RunId, cursor: StreamCursor) -> ChangesPage:
        link = cursor.next_cursor
        if link is None:
            async with self._work.read() as reading:
                link = await reading.changes.link()
        if link is None:
            raise LostTrack
        try:
            return await self._directory.changes(link)
        except DirectoryError as error:
            if not lost_track(error):
                raise
            _log.warning("microsoft lost track of changes", run=run, status=error.status, graph_code=error.graph_code)
            raise LostTrack from error

    async def _keep(self, run_id: RunId, cursor: StreamCursor, page: ChangesPage) -> StreamCursor:
        """Store whom a page names. On the last one the cursor is the link at which the next run begins."""
        after = StreamCursor(
            stream=cursor.stream,
            next_cursor=page.next_cursor or page.link,
            done=page.next_cursor is None,
            page=cursor.page + 1,
        )
        async with self._work.write() as unit:
            await _running(unit, run_id, cursor)
            await unit.changes.note(run_id, page.ids)
            await unit.syncs.save_cursor(run_id, after, page.request)
            await unit.commit()
        return after

    async def _look(self, run_id: RunId, cursor: StreamCursor, found: PeopleNow) -> StreamCursor:
        """Store people as they are now."""
        async with self._work.write() as unit:
            run = await _running(unit, run_id, cursor)
            await unit.syncs.save_people(run_id, found.rows, now=self._clock.now())
            await unit.changes.looked_at(run_id, there=[row.person.id for row in found.rows], gone=found.gone)
            for request in found.requests:
                cursor = replace(cursor, page=cursor.page + 1)
                await unit.syncs.save_cursor(run_id, cursor, request)
            seats = sum(len(row.seats) for row in found.rows)
            people = len(found.rows) + len(found.gone)
            await unit.syncs.save(replace(run, people=run.people + people, seats=run.seats + seats))
            await unit.commit()
        return cursor


async def _running(unit: UnitOfWork, run_id: RunId, cursor: StreamCursor) -> SyncRun:
    """Return the run if it still reads changes and nobody else has stored what follows `cursor`.

    Raises:
        Superseded: It does not, or somebody has.
    """
    run = await unit.syncs.get(run_id)
    stored = await unit.syncs.cursor(run_id, cursor.stream)
    goes_on = run is not None and run.state == SyncState.RUNNING and run.kind == SyncKind.CHANGES
    if run is None or not goes_on or (stored.page if stored else 0) != cursor.page:
        raise Superseded
    return run
