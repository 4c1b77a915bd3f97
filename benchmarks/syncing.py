"""Reading a tenant of 100,000 people, against bare httpx paging, json and bulk inserts of the same columns.

Both read the same streams (people with seats, sign-ins) from a practice tenant in a process of its own, in turn. The
baseline asks with the same queries, takes the fields out of the JSON as they are and inserts each page with
`sqlite3.executemany`, in a transaction a page. Ours also checks every field, keeps what a row depends on of an earlier read,
hashes every page as evidence, and concludes who is gone.
"""

import asyncio
import json
import multiprocessing
import sqlite3
import ssl
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import httpx

from benchmarks.large import NOW
from benchmarks.measure import Measure, peak_mb, within
from benchmarks.opening import hold_times
from reclaim.connectors.clock import SystemClock
from reclaim.connectors.graph import Registration, connect
from reclaim.connectors.graph.directory import PEOPLE_PER_PAGE, SIGN_INS_PER_PAGE
from reclaim.connectors.graph.parsing import MANAGER, PERSON_FIELDS, SIGN_INS
from reclaim.connectors.tokens import RandomTokens
from reclaim.domain.ids import PersonId, TenantId
from reclaim.domain.notices import Notice
from reclaim.domain.policy import Policy
from reclaim.ports.chat import Delivery
from reclaim.services.sync_directory import SyncDirectory
from rehearsal import PracticeTenant
from storage.engine import Database
from storage.migrate import upgrade
from storage.repositories.people import folded
from storage.unit_of_work import SqlWork

PEOPLE = 100_000
GROWTH_MB = 150.0


@dataclass(frozen=True, slots=True)
class Tenant:
    """How to reach the practice tenant."""

    login_url: str
    graph_url: str
    ca_file: Path
    tenant_id: str
    client_id: str
    client_secret: str
    control_url: str
    control_key: str


@dataclass(frozen=True, slots=True)
class Read:
    """One whole read: seconds, growth of the process in MB, longest write lock in ms, rows."""

    seconds: float
    growth_mb: float
    longest_lock_ms: float
    people: int
    seats: int


def measures() -> list[Measure]:
    """Return people a second, memory growth and the longest write lock; over 60 s, so each is run once."""
    with tempfile.TemporaryDirectory() as folder, tenant(PEOPLE, Path(folder)) as there:
        ours = _alone(_ours, there, Path(folder) / "ours.db")
        bare = _alone(_bare, there, Path(folder) / "bare.db")
    assert (ours.people, ours.seats) == (bare.people, bare.seats)
    assert ours.people >= PEOPLE
    baseline = "bare httpx paging, json and sqlite3.executemany of the same columns"
    return [
        Measure(
            name="sync of 100,000 people",
            value=ours.people / ours.seconds,
            unit="people/s",
            baseline=baseline,
            baseline_value=bare.people / bare.seconds,
            goal=0.5,
            better="higher",
        ),
        within("memory growth of that sync", ours.growth_mb, "MB", GROWTH_MB),
        within("longest write lock of that sync's pages", ours.longest_lock_ms, "ms", 250.0),
    ]


@contextmanager
def tenant(people: int, folder: Path, *, now: datetime = NOW) -> Iterator[Tenant]:
    """Run a practice tenant in a process of its own; `now`: its time at the start."""
    context = multiprocessing.get_context("spawn")
    near, far = context.Pipe()
    process = context.Process(target=_serve, args=(people, folder, now, far), daemon=True)
    process.start()
    try:
        yield near.recv()
    finally:
        process.terminate()
        process.join()


def _serve(people: int, folder: Path, now: datetime, parent: Connection) -> None:
    async def serve() -> None:
        made = await PracticeTenant.start(people=people, seed=7, now=now, directory=folder)
        parent.send(
            Tenant(
                made.login_url,
                made.graph_url,
                made.ca_file,
                made.tenant_id,
                made.client_id,
                made.client_secret,
                made.control_url,
                made.control_key,
            )
        )
        await asyncio.Event().wait()

    asyncio.run(serve())


def _alone(read: Any, there: Tenant, path: Path) -> Read:
    """Read in a fresh process, so that its memory is that of the read."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        done: Read = pool.apply(read, (there, path))
    return done


class Nobody:
    """A messenger that reaches nobody: the sync was asked for by the clock."""

    async def deliver(self, person: PersonId, notice: Notice) -> Delivery:
        """Never called."""
        raise NotImplementedError

    async def retire(self, matter: str, notice: Notice) -> None:
        """Never called."""
        raise NotImplementedError


def _ours(there: Tenant, path: Path) -> Read:
    return asyncio.run(_sync(there, path))


async def _sync(there: Tenant, path: Path) -> Read:
    upgrade(f"sqlite:///{path}")
    database = Database(f"sqlite:///{path}")
    work = SqlWork(database, lambda _connection, _job: None)
    clock, tokens = SystemClock(), RandomTokens()
    graph = connected(there)
    sync = SyncDirectory(
        work=work,
        clock=clock,
        tokens=tokens,
        policy=Policy(),
        directory=graph.directory,
        messenger=Nobody(),
        tenant_id=TenantId(there.tenant_id),
    )
    await graph.directory.skus()  # the token, and all that is loaded once
    held = hold_times(database)
    before, began = peak_mb(), time.perf_counter()
    view = await sync.run_to_end(None)
    seconds = time.perf_counter() - began
    growth = peak_mb() - before
    await graph.aclose()
    await database.dispose()
    assert view.state == "complete", view.error
    held.sort()
    with closing(sqlite3.connect(path)) as stored:
        (pages,) = stored.execute("SELECT count(*) FROM sync_requests WHERE length(sha256) = 64").fetchone()
        assert pages >= view.people / PEOPLE_PER_PAGE
        people, seats = _count(stored)
    # The last transactions conclude the run; every page came before.
    return Read(seconds, growth, held[-1], people, seats)


def connected(there: Tenant) -> Any:
    """Return the product's connection to the practice tenant."""
    return connect(
        login_url=there.login_url,
        graph_url=there.graph_url,
        tenant_id=there.tenant_id,
        reader=Registration(client_id=there.client_id, credential=there.client_secret),
        ca_file=there.ca_file,
        clock=SystemClock(),
        tokens=RandomTokens(),
    )


def _bare(there: Tenant, path: Path) -> Read:
    upgrade(f"sqlite:///{path}")
    with closing(sqlite3.connect(path, isolation_level=None)) as target:
        for pragma in ("synchronous=FULL", "foreign_keys=ON"):
            target.execute(f"PRAGMA {pragma}")
        before, began = peak_mb(), time.perf_counter()
        asyncio.run(_page(there, target))
        return Read(time.perf_counter() - began, peak_mb() - before, 0.0, *_count(target))


async def _page(there: Tenant, target: sqlite3.Connection) -> None:
    trust = ssl.create_default_context(cafile=str(there.ca_file))
    async with httpx.AsyncClient(verify=trust, trust_env=False, timeout=60) as http:
        form = {
            "grant_type": "client_credentials",
            "client_id": there.client_id,
            "client_secret": there.client_secret,
            "scope": there.graph_url.rsplit("/", 1)[0] + "/.default",
        }
        token = (await http.post(f"{there.login_url}/{there.tenant_id}/oauth2/v2.0/token", data=form)).json()
        http.headers["Authorization"] = f"Bearer {token['access_token']}"
        people = f"{there.graph_url}/users?$select={PERSON_FIELDS}&$expand={MANAGER}&$top={PEOPLE_PER_PAGE}"
        sign_ins = f"{there.graph_url}/users?$select=id,{SIGN_INS}&$top={SIGN_INS_PER_PAGE}"
        for first, store in ((people, _store_people), (sign_ins, _store_sign_ins)):
            address: str | None = first
            while address is not None:
                page = json.loads((await http.get(address)).raise_for_status().content)
                target.execute("BEGIN IMMEDIATE")
                store(target, page["value"])
                target.execute("COMMIT")
                address = page.get("@odata.nextLink")


def _store_people(target: sqlite3.Connection, rows: list[dict[str, Any]]) -> None:
    target.executemany(
        "INSERT INTO people (id, name, upn, mail, enabled, user_type, department, employee_type, usage_location, created_at,"
        " manager_id, folded, since_run, seen_run) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'run', 'run')",
        [
            (
                row["id"],
                row["displayName"] or "",
                row["userPrincipalName"],
                row["mail"],
                row["accountEnabled"],
                row["userType"],
                row["department"],
                row["employeeType"],
                row["usageLocation"],
                row["createdDateTime"],
                (row.get("manager") or {}).get("id"),
                folded(row["displayName"], row["userPrincipalName"], row["mail"]),
            )
            for row in rows
        ],
    )
    paths = [(row["id"], path) for row in rows for path in row["licenseAssignmentStates"]]
    seats = {f"{person}:{path['skuId']}": (person, path["skuId"]) for person, path in paths}
    target.executemany(
        "INSERT INTO seats (id, person_id, product_id, since_run, seen_run) VALUES (?, ?, ?, 'run', 'run')",
        [(seat, *of) for seat, of in seats.items()],
    )
    target.executemany(
        "INSERT OR REPLACE INTO seat_paths (seat_id, via, state, error, disabled_plans, updated_at, seen_run)"
        " VALUES (?, ?, ?, ?, ?, ?, 'run')",
        [
            (
                f"{person}:{path['skuId']}",
                path["assignedByGroup"] or "direct",
                path["state"],
                path["error"],
                json.dumps(path["disabledPlans"]),
                path["lastUpdatedDateTime"],
            )
            for person, path in paths
        ],
    )


def _store_sign_ins(target: sqlite3.Connection, rows: list[dict[str, Any]]) -> None:
    fields = ("lastSuccessfulSignInDateTime", "lastSignInDateTime", "lastNonInteractiveSignInDateTime")
    target.executemany(
        "UPDATE people SET success_at = ?, interactive_at = ?, background_at = ? WHERE id = ?",
        [(*((row.get(SIGN_INS) or {}).get(field) for field in fields), row["id"]) for row in rows],
    )


def _count(target: sqlite3.Connection) -> tuple[int, int]:
    people, seats = (target.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("people", "seats"))  # noqa: S608 - our names
    return people, seats
