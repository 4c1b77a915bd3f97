"""Read the directory stream by stream. Each page is stored together with its cursor, so a killed run goes on there."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import TypeVar

import structlog

from reclaim.domain.directory import AssigneeKind, Group, Sku
from reclaim.domain.exclusions import ALL, ExclusionKind
from reclaim.domain.ids import GroupId, PersonId, RunId, TenantId
from reclaim.domain.policy import Policy
from reclaim.domain.syncing import (
    ELIGIBLE_STREAM,
    EXCLUDED_STREAM,
    MEMBERS_STREAM,
    PEOPLE_STREAM,
    ROLES_STREAM,
    SIGN_INS_STREAM,
    SyncState,
)
from reclaim.errors import DirectoryError
from reclaim.ports.directory import Directory, Page, PersonRow, RoleSupport, SignInRow, SignInSupport, sign_in_support
from reclaim.ports.storage import PeopleList, StreamCursor, SyncRun, UnitOfWork, Work
from reclaim.ports.system import Clock
from reclaim.services.chunks import ahead, in_chunks
from reclaim.services.read_usage import ReadUsage
from reclaim.services.superseded import Superseded

Row = TypeVar("Row")
OnPage = Callable[[], Awaitable[None]]
Read = Callable[[str | None], Awaitable[Page[Row]]]
Save = Callable[[UnitOfWork, RunId, Sequence[Row]], Awaitable[None]]
Count = Callable[[SyncRun, Sequence[Row]], SyncRun]

# Rows of a page in one transaction: a page of 999 people held the write lock for 200 ms, and answers waited.
PART = 100

_log = structlog.get_logger(__name__)


class SyncStreams:
    """Reads SKUs, groups, people, sign-ins, usage reports, members of groups that matter, and admin roles, in this order."""

    def __init__(
        self,
        *,
        work: Work,
        clock: Clock,
        policy: Policy,
        directory: Directory,
        tenant_id: TenantId,
        with_groups: bool = True,
        usage: ReadUsage | None = None,
    ) -> None:
        self._with_groups = with_groups
        self._usage = usage
        self._work = work
        self._clock = clock
        self._role_ids = sorted({one.lower() for one in policy.admins | policy.license_managers | policy.auditors})
        self._directory = directory
        self._tenant_id = tenant_id

    async def read_all(self, run: RunId, on_page: OnPage) -> None:
        """Read what this run has not read yet.

        Args:
            run: A running run.
            on_page: Called after each stored page.

        Raises:
            DirectoryError: A page could not be read; everything before it is stored.
            Superseded: Another job reads this run, or the run has ended.
        """
        await self.read_skus(run, on_page)
        if self._with_groups:
            await self._stream(run, "groups", self._directory.groups, self._save_groups, on_page)
        await self._stream(run, PEOPLE_STREAM, self._directory.people, self._save_people, on_page, count=_count_people)
        await self._sign_ins(run, on_page)
        if self._usage is not None:
            await self._usage.read(run)
        if not self._with_groups:
            return
        owning, excluded = await self._owning_groups(), await self._excluded_groups()
        for group in dict.fromkeys([*owning, *excluded]):
            await self._facts(run, group)
        for group in dict.fromkeys([*await self._role_groups(), *owning]):
            await self._members(run, group, on_page)
        for group in excluded:
            await self._everyone_in(run, group, f"{EXCLUDED_STREAM}{group}", ExclusionKind.GROUP, group, on_page)
        await self._role_holders(run, on_page)

    async def read_skus(self, run: RunId, on_page: OnPage) -> None:
        """Read the products, unless this run has them.

        Raises:
            DirectoryError, Superseded: As `read_all`.
        """

        async def skus(_: str | None) -> Page[Sku]:
            return await self._directory.skus()

        await self._stream(run, "skus", skus, self._save_skus, on_page)

    async def _stream(
        self,
        run: RunId,
        stream: str,
        read: Read[Row],
        save: Save[Row],
        on_page: OnPage,
        *,
        count: Count[Row] | None = None,
    ) -> None:
        async with self._work.read() as reading:
            stored = await reading.syncs.cursor(run, stream)
        cursor = stored or StreamCursor(stream=stream, next_cursor=None, done=False, page=0)
        page = None if cursor.done else await read(cursor.next_cursor)
        while page is not None:
            # The next page is on its way while this one is stored; only what is stored moves the cursor.
            async with ahead(_after(page, read)) as following:
                cursor = await self._keep(run, cursor, page, save, count)
                await on_page()
            page = await following

    async def _keep(
        self, run_id: RunId, cursor: StreamCursor, page: Page[Row], save: Save[Row], count: Count[Row] | None
    ) -> StreamCursor:
        """Store a page in parts. The last one moves the cursor: a page of which only some is stored is read again."""
        if page.next_cursor is not None and page.next_cursor == cursor.next_cursor:
            raise DirectoryError("Microsoft sent the same page twice, so the list would never end.", permanent=True)
        after = StreamCursor(
            stream=cursor.stream, next_cursor=page.next_cursor, done=page.next_cursor is None, page=cursor.page + 1
        )
        *parts, last = in_chunks(page.rows, PART) if page.rows else [page.rows]
        for part in parts:
            async with self._work.write() as unit:
                await _running(unit, run_id, cursor)
                await save(unit, run_id, part)
                await unit.commit()
        async with self._work.write() as unit:
            run = await _running(unit, run_id, cursor)
            await save(unit, run_id, last)
            if count is not None:
                await unit.syncs.save(count(run, page.rows))
            await unit.syncs.save_cursor(run_id, after, page.request)
            await unit.commit()
        return after

    async def _save_skus(self, unit: UnitOfWork, run: RunId, rows: Sequence[Sku]) -> None:
        # The first answer proves that the credentials are good for this tenant: from now on the data is this tenant's.
        await unit.controls.set_tenant(self._tenant_id)
        await unit.syncs.save_skus(run, rows)

    async def _save_groups(self, unit: UnitOfWork, run: RunId, rows: Sequence[Group]) -> None:
        await unit.syncs.save_groups(run, rows)

    async def _save_people(self, unit: UnitOfWork, run: RunId, rows: Sequence[PersonRow]) -> None:
        await unit.syncs.save_people(run, _once(rows), now=self._clock.now())

    async def _save_sign_ins(self, unit: UnitOfWork, run: RunId, rows: Sequence[SignInRow]) -> None:
        await unit.syncs.save_sign_ins(run, rows, read_at=self._clock.now())

    async def _sign_ins(self, run: RunId, on_page: OnPage) -> None:
        """Read sign-ins. A tenant that gives none can still be asked about disabled accounts, so the run goes on."""
        async with self._work.read() as reading:
            found = await reading.syncs.get(run)
        if found is None or found.sign_ins != SignInSupport.KNOWN:
            return
        try:
            await self._stream(run, SIGN_INS_STREAM, self._directory.sign_ins, self._save_sign_ins, on_page)
        except DirectoryError as error:
            support = sign_in_support(error)
            if support is None:
                raise
            _log.warning("sign-in data refused", run=run, support=support.value)
            await self._note_refusal(run, support)

    async def _note_refusal(self, run_id: RunId, support: SignInSupport) -> None:
        async with self._work.write() as unit:
            await unit.syncs.save(replace(await _still_running(unit, run_id), sign_ins=support.value))
            await unit.commit()

    async def _note_roles(self, run_id: RunId, support: RoleSupport) -> None:
        async with self._work.write() as unit:
            await unit.syncs.save(replace(await _still_running(unit, run_id), roles=support.value))
            await unit.commit()

    async def _role_groups(self) -> list[GroupId]:
        """Return the ids with a role that are no people we know. They may be groups, or people who are gone."""
        async with self._work.read() as reading:
            people = await reading.people.get_many(PersonId(one) for one in self._role_ids)
        return [GroupId(one) for one in self._role_ids if PersonId(one) not in people]

    async def _owning_groups(self) -> list[GroupId]:
        """Return the groups that own products, and those that still have something to answer though they own none."""
        async with self._work.read() as reading:
            owners = await reading.catalog.owners()
            asked = await reading.items.groups_asked()
        return sorted(asked | {GroupId(one.owner) for one in owners.values() if one.kind is AssigneeKind.GROUP})

    async def _excluded_groups(self) -> list[GroupId]:
        async with self._work.read() as reading:
            counting = await reading.exclusions.counting(self._clock.now())
        return sorted(GroupId(one.value) for one in counting if one.kind is ExclusionKind.GROUP)

    async def _facts(self, run_id: RunId, group: GroupId) -> None:
        """Keep the name of a group that carries no licenses, and so is in no other stream."""
        found = await self._directory.group(group)
        if found is None:
            return
        async with self._work.write() as unit:
            await _still_running(unit, run_id)
            await unit.syncs.save_groups(run_id, [found])
            await unit.commit()

    async def _members(self, run: RunId, group: GroupId, on_page: OnPage) -> None:
        async def read(cursor: str | None) -> Page[PersonId]:
            return await self._directory.group_members(group, cursor)

        async def save(unit: UnitOfWork, run: RunId, rows: Sequence[PersonId]) -> None:
            await unit.syncs.save_members(run, group, rows)

        try:
            await self._stream(run, f"{MEMBERS_STREAM}{group}", read, save, on_page)
        except DirectoryError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            # No such group: its members lose role and say when the run completes, as they are not seen.
            _log.info("id with a role or a product is no group", run=run, id=group)

    async def _everyone_in(
        self, run: RunId, group: GroupId, stream: str, kind: ExclusionKind, value: str, on_page: OnPage
    ) -> DirectoryError | None:
        """Read who is in a group for an exclusion; return why that is not possible.

        Such a refusal ends nothing: the exclusion goes on to hold everybody whom it held.
        """

        async def read(cursor: str | None) -> Page[PersonId]:
            return await self._directory.everyone_in(group, cursor)

        try:
            await self._stream(run, stream, read, self._lister(kind, value), on_page)
        except DirectoryError as error:
            if not error.permanent:
                raise
            log = _log.info if error.status == HTTPStatus.NOT_FOUND else _log.warning
            log("members of a group not read", run=run, group=group, status=error.status)
            return error
        return None

    async def _role_holders(self, run: RunId, on_page: OnPage) -> None:
        """Read who holds an admin role or may take one up, by themselves or through a group.

        A tenant that refuses it is read on.
        """
        kind, value = ExclusionKind.ADMIN_ROLES, ALL
        try:
            await self._stream(run, ROLES_STREAM, self._directory.role_holders, self._lister(kind, value), on_page)
        except DirectoryError as error:
            if not error.permanent:
                raise
            refused = error.status == HTTPStatus.FORBIDDEN
            (_log.info if refused else _log.warning)("admin role holders not read", run=run, status=error.status)
            await self._note_roles(run, RoleSupport.NO_PERMISSION if refused else RoleSupport.UNREAD)
            return
        whole = await self._role_eligible(run, self._lister(kind, value), on_page)
        async with self._work.read() as reading:
            strangers = await reading.people_lists.strangers(PeopleList(kind, value))
        for one in strangers:
            error_ = await self._everyone_in(run, GroupId(one), f"{ROLES_STREAM}:{one}", kind, value, on_page)
            # An application holds roles too, and is no group.
            whole = whole and (error_ is None or error_.status == HTTPStatus.NOT_FOUND)
        await self._note_roles(run, RoleSupport.KNOWN if whole else RoleSupport.PARTLY)

    async def _role_eligible(self, run: RunId, save: Save[str], on_page: OnPage) -> bool:
        """Read who may take an admin role up; return whether that is the whole list."""
        try:
            await self._stream(run, ELIGIBLE_STREAM, self._directory.role_eligible, save, on_page)
        except DirectoryError as error:
            if not error.permanent:
                raise
            if error.status != HTTPStatus.NOT_FOUND:
                _log.warning("who may take up an admin role not read", run=run, status=error.status)
                return False
        return True

    def _lister(self, kind: ExclusionKind, value: str) -> Save[str]:
        async def save(unit: UnitOfWork, _: RunId, rows: Sequence[str]) -> None:
            people = [PersonId(one) for one in rows]
            await unit.people_lists.add(PeopleList(kind, value), people, seen_at=self._clock.now())

        return save


def _once(rows: Sequence[PersonRow]) -> Sequence[PersonRow]:
    """Return each person once, as last seen: Graph may repeat a row while the tenant changes."""
    return list({row.person.id: row for row in rows}.values())


def _count_people(run: SyncRun, rows: Sequence[PersonRow]) -> SyncRun:
    once = _once(rows)
    return replace(run, people=run.people + len(once), seats=run.seats + sum(len(row.seats) for row in once))


async def _still_running(unit: UnitOfWork, run_id: RunId) -> SyncRun:
    """Return the run.

    Raises:
        Superseded: It has ended.
    """
    run = await unit.syncs.get(run_id)
    if run is None or run.state != SyncState.RUNNING:
        raise Superseded
    return run


async def _running(unit: UnitOfWork, run_id: RunId, cursor: StreamCursor) -> SyncRun:
    """Return the run if it still runs and nobody else has stored the page behind `cursor`.

    Raises:
        Superseded: It does not, or somebody has.
    """
    run = await unit.syncs.get(run_id)
    stored = await unit.syncs.cursor(run_id, cursor.stream)
    if run is None or run.state != SyncState.RUNNING or (stored.page if stored else 0) != cursor.page:
        raise Superseded
    return run


async def _after(page: Page[Row], read: Read[Row]) -> Page[Row] | None:
    return None if page.next_cursor is None else await read(page.next_cursor)
