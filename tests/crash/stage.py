"""What outlives a process that dies: the practice tenant, the chat, the database file. They live in the test's process."""

import asyncio
import copy
import json
import multiprocessing
import shutil
import signal
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from sqlalchemy import select

from rehearsal import PracticeTenant
from storage.engine import Database
from storage.tables import messages, metadata
from storage.unit_of_work import SqlWork
from tests.crash.child import Ended, Script, run
from tests.databases import store_job

START = datetime(2026, 11, 23, 9, tzinfo=UTC)
PEOPLE, SEED = 30, 7  # the cast alone
LONGEST_LIFE_S = 120
OWNER, SECOND_ADMIN = "Allan Deyoung", "Patti Fernandez"
RETURNS = "Nestor Wilke"  # does not use Acrobat Pro, loses it, and takes it back

# Who holds what stands in the practice tenant's cast. Nobody answers for Grady's mailbox and for Sarah's seat.
ANSWERS = {
    ("Adele Vance", "VISIOCLIENT"): "revoke",
    ("Isaiah Langer", "Microsoft_365_Copilot"): "revoke",
    ("Joni Sherman", "VISIOCLIENT"): "keep",
    ("Lidia Holloway", "VISIOCLIENT"): "revoke",  # through a group
    ("Pradeep Gupta", "Microsoft_365_Copilot"): "revoke",
    ("Raul Razo", "SPE_E3"): "revoke",
    ("Raul Razo", "SPE_E5"): "revoke",  # one of two mailboxes: only one of them may go
    ("Grady Archie", "SPE_E5"): None,
    ("Sarah Perez", "POWER_BI_PRO"): None,
}

# A process is forked from one that has imported everything already: to import it takes longer than most of these lives.
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["pytest", "tests.crash.child"])


@dataclass
class Message:
    """A card as it stands in the chat."""

    external_id: str
    conversation: str
    kind: str
    buttons: list[str]
    kinds: list[str] = field(default_factory=list)


class Chat:
    """A chat channel as a small web server; it keeps every message and what was acknowledged to a person."""

    def __init__(self) -> None:
        self.messages: dict[str, Message] = {}
        self.acknowledged: dict[str, str] = {}

    @asynccontextmanager
    async def served(self) -> AsyncIterator[str]:
        http = web.Application()
        http.add_routes(
            [
                web.post("/send", self._send),
                web.post("/update", self._update),
                web.post("/acknowledged", self._acknowledge),
                web.get("/messages", self._all),
            ]
        )
        runner = web.AppRunner(http, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()

    async def _send(self, request: web.Request) -> web.Response:
        card = await request.json()
        message = Message(f"m{len(self.messages) + 1}", card["conversation"], card["kind"], card["buttons"])
        message.kinds.append(card["kind"])
        self.messages[message.external_id] = message
        return web.json_response({"external_id": message.external_id})

    async def _update(self, request: web.Request) -> web.Response:
        card = await request.json()
        message = self.messages[card["external_id"]]
        message.kind, message.buttons = card["kind"], card["buttons"]
        message.kinds.append(card["kind"])
        return web.json_response({"external_id": message.external_id})

    async def _acknowledge(self, request: web.Request) -> web.Response:
        told = await request.json()
        self.acknowledged[told["item"]] = told["choice"]
        return web.json_response({})

    async def _all(self, _: web.Request) -> web.Response:
        return web.json_response([message.__dict__ for message in self.messages.values()])


@dataclass
class Snapshot:
    """The world after a stage: copied for each case. The tenant needs no copy: until the close nothing is written."""

    database: Path | None
    chat: Chat
    now: datetime


class Stage:
    """One case: a tenant, a chat, a database, and the processes that work on them one after the other."""

    def __init__(self, folder: Path, before: Snapshot, tenant: PracticeTenant, chat_url: str) -> None:
        self.folder = folder
        self.chat = before.chat
        self.tenant = tenant
        self.now = before.now
        self._chat_url = chat_url
        self._database = folder / "reclaim.db"

    @classmethod
    @asynccontextmanager
    async def set_up(cls, folder: Path, before: Snapshot) -> AsyncIterator["Stage"]:
        folder.mkdir(exist_ok=True)  # noqa: ASYNC240 - a test may block
        if before.database is not None:
            shutil.copyfile(before.database, folder / "reclaim.db")
        before = Snapshot(before.database, copy.deepcopy(before.chat), before.now)
        tenant = await PracticeTenant.start(people=PEOPLE, seed=SEED, now=START, directory=folder)
        try:
            async with before.chat.served() as chat_url:
                stage = cls(folder, before, tenant, chat_url)
                await stage.control("POST", "/clock", {"now": before.now.isoformat()})
                yield stage
        finally:
            await tenant.stop()

    def beside(self, folder: Path) -> "Stage":
        """Return another case in the same tenant and chat, with a database of its own that is yet to be made."""
        folder.mkdir()
        return Stage(folder, Snapshot(None, self.chat, self.now), self.tenant, self._chat_url)

    def tables(self) -> dict[str, list[tuple[object, ...]]]:
        """Return the rows of our tables, each table's in an order of their own."""
        with closing(sqlite3.connect(self._database)) as rows:
            return {table.name: sorted(rows.execute(str(select(table))), key=repr) for table in metadata.sorted_tables}

    def snapshot(self) -> Snapshot:
        return Snapshot(self._database, self.chat, self.now)

    @asynccontextmanager
    async def work(self) -> AsyncIterator[SqlWork]:
        """The rows, for looking at."""
        database = Database(f"sqlite:///{self._database}")
        try:
            yield SqlWork(database, store_job)
        finally:
            await database.dispose()

    async def known_messages(self) -> set[str]:
        """Return the chat's id of every message that the product has noted, whatever became of it."""
        database = Database(f"sqlite:///{self._database}")
        async with database.reads.connect() as connection:
            found = set(await connection.scalars(select(messages.c.external_id)))
        await database.dispose()
        return {one for one in found if one is not None}

    async def control(self, method: str, path: str, body: object = None) -> Any:
        connector = aiohttp.TCPConnector(ssl=False)
        headers = {"X-Control-Key": self.tenant.control_key}
        async with (
            aiohttp.ClientSession(connector=connector, headers=headers) as http,
            http.request(method, self.tenant.control_url + path, json=body) as answer,
        ):
            return await answer.json()

    async def run(self, until: str, *, act: str | None = None, at: str | None = None, nth: int = 1) -> "Death | Ended":
        """Run a process; return where it died, or how it ended.

        Raises:
            AssertionError: It failed otherwise, or did not end.
        """
        note, result = self.folder / "note", self.folder / "result"
        note.unlink(missing_ok=True)
        result.unlink(missing_ok=True)
        people = {person["name"]: person for person in await self.control("GET", "/cases")}
        seats = {
            f"{people[name]['person_id']}:{sku_id(people[name], part)}": choice
            for (name, part), choice in ANSWERS.items()
        }
        script = Script(
            until=until,
            act=act,
            at=at,
            nth=nth,
            now=self.now.isoformat(),
            database=f"sqlite:///{self._database}",
            is_new=not self._database.exists(),
            note=str(note),
            result=str(result),
            chat_url=self._chat_url,
            control_url=self.tenant.control_url,
            control_key=self.tenant.control_key,
            tenant_id=self.tenant.tenant_id,
            client_id=self.tenant.client_id,
            client_secret=self.tenant.client_secret,
            login_url=self.tenant.login_url,
            graph_url=self.tenant.graph_url,
            ca_file=str(self.tenant.ca_file),
            owner=people[OWNER]["person_id"],
            second_admin=people[SECOND_ADMIN]["person_id"],
            fallback=people[SECOND_ADMIN]["person_id"],
            seats=sorted(seats),
            answers={seat: choice for seat, choice in seats.items() if choice is not None},
            returns=people[RETURNS]["person_id"],
        )
        process = _PROCESSES.Process(target=run, args=(script,))
        process.start()
        await asyncio.to_thread(process.join, LONGEST_LIFE_S)
        if process.exitcode is None:
            process.kill()
        if process.exitcode == -signal.SIGKILL:
            assert note.exists(), "killed by somebody else"
            self.now = datetime.fromisoformat((await self.control("GET", "/clock"))["now"])
            return Death(at=note.read_text())
        assert process.exitcode == 0, result.read_text() if result.exists() else f"ended with {process.exitcode}"
        ended = Ended(**json.loads(result.read_text()))
        self.now = datetime.fromisoformat(ended.now)
        return ended


@dataclass(frozen=True)
class Death:
    """Where a process was killed."""

    at: str


def sku_id(person: dict[str, Any], part: str) -> str:
    """Return the SKU of one of a person's seats by its part number."""
    return str(next(seat["sku_id"] for seat in person["seats"] if seat["sku_part_number"] == part))
