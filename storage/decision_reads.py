"""Reads what decisions are judged by: what several clicks ask for while one read runs is read together by the next.

A read through aiosqlite costs several thread hops per statement; here a click costs its share of one.
"""

import asyncio
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Connection, Engine, select

from reclaim.domain.directory import AssigneeKind
from reclaim.domain.ids import AssigneeId, CampaignId, GroupId, ItemId, PersonId
from reclaim.domain.review import ReviewItem
from reclaim.ports.storage import ToDecide
from reclaim.together import Together
from storage.engine import Database
from storage.repositories.campaigns import to_campaign
from storage.repositories.item_rows import to_item
from storage.repositories.people import reviewers_in
from storage.tables import campaigns, groups, people, review_items
from storage.unit_of_work import translated
from storage.upsert import in_chunks


class DecisionReads:
    """Loads items with their campaigns, and the names and members of their assignees, one read at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="decision-reads")
        self._together = Together(self._read_all)

    async def load(self, items: Iterable[ItemId]) -> ToDecide:
        """Return what is there of these items.

        Raises:
            PortError: The database did not answer.
        """
        ids = frozenset(items)
        everything = await self._together.ask(ids)
        return ToDecide(
            items={one: everything.items[one] for one in ids if one in everything.items},
            campaigns=everything.campaigns,
            names=everything.names,
            members=everything.members,
        )

    def close(self) -> None:
        """End the thread; no load may be waiting."""
        self._thread.shutdown()

    async def _read_all(self, asked: Sequence[frozenset[ItemId]]) -> dict[frozenset[ItemId], ToDecide | Exception]:
        found = await self._read(frozenset[ItemId]().union(*asked))
        return dict.fromkeys(asked, found)

    async def _read(self, ids: frozenset[ItemId]) -> ToDecide:
        engine = self._database.read_thread
        with translated():
            if engine is not None:
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(self._thread, _load_on, engine, ids)
            async with self._database.reads.connect() as connection:
                return await connection.run_sync(_load, ids)


def _load_on(engine: Engine, ids: frozenset[ItemId]) -> ToDecide:
    with engine.connect() as connection:
        return _load(connection, ids)


def _load(connection: Connection, ids: frozenset[ItemId]) -> ToDecide:
    items: dict[ItemId, ReviewItem] = {}
    for some_ids in in_chunks(ids):
        rows = connection.execute(select(review_items).where(review_items.c.id.in_(some_ids))).mappings()
        items |= {item.id: item for item in map(to_item, rows)}
    wanted = {item.campaign_id for item in items.values()}
    rows = connection.execute(select(campaigns).where(campaigns.c.id.in_(wanted))).mappings()
    found = {CampaignId(row["id"]): to_campaign(row) for row in rows}
    members, names = _members(connection, items.values())
    shown = {item.assignee_id for item in items.values()} | {item.answer.by for item in items.values() if item.answer}
    for some in in_chunks(one for one in shown if one):
        query = select(people.c.id, people.c.name, people.c.upn).where(people.c.id.in_(some))
        names |= {PersonId(row.id): row.name or row.upn for row in connection.execute(query)}
    return ToDecide(items=items, campaigns=found, names=names, members=members)


def _members(
    connection: Connection, items: Iterable[ReviewItem]
) -> tuple[dict[GroupId, frozenset[PersonId]], dict[AssigneeId, str]]:
    """Return who can review in the groups that have these items, and the names of the groups."""
    found = {
        GroupId(item.assignee_id) for item in items if item.assignee_id and item.assignee_kind is AssigneeKind.GROUP
    }
    if not found:
        return {}, {}
    names: dict[AssigneeId, str] = {}
    for some in in_chunks(found):
        rows = connection.execute(select(groups.c.id, groups.c.name).where(groups.c.id.in_(some)))
        names |= {GroupId(row.id): row.name for row in rows}
    return reviewers_in(connection, found), names
