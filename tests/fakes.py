"""Hand-written fakes, one per port, with public state. Storage has none: services are tested on the real one."""

import hashlib
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection, event

from reclaim.domain.directory import Group, LivePerson, MailboxPurpose, Path, Person, Seat, Sku
from reclaim.domain.ids import GroupId, ItemId, MessageId, PersonId, ProductId, seat_id
from reclaim.domain.notices import ConsentNotice, Notice, WaveNotice
from reclaim.errors import DeliveryError, DirectoryError, WriteBackError
from reclaim.ports.chat import Delivery
from reclaim.ports.checks import WRITING, Permission
from reclaim.ports.directory import ChangesPage, Page, PeopleNow, PersonRow, ReadBack, Request, SignInRow, WriteResult
from reclaim.ports.engine import Handler, Job
from reclaim.ports.storage import MessageRecord, Work

Row = TypeVar("Row")


class Killed(BaseException):
    """The process dies here: no handler of ours may catch it."""


class FixedClock:
    """A clock that moves only when told; `slept` says how long somebody wanted to wait."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def advance(self, by: timedelta) -> None:
        self.at += by


class SequentialTokens:
    """Ids 0…01, 0…02 and so on, and salts of 16 bytes, all different."""

    def __init__(self) -> None:
        self.given = 0

    def new_id(self) -> str:
        self.given += 1
        return f"{self.given:032x}"

    def new_row_id(self) -> str:
        return self.new_id()

    def new_salt(self) -> bytes:
        self.given += 1
        return self.given.to_bytes(16, "big")


class _Script:
    """What shall go wrong: per method, how many calls still succeed before which error."""

    def __init__(self) -> None:
        self._planned: dict[str, deque[BaseException | None]] = {}

    def fail(self, method: str, error: BaseException, *, after: int = 0, times: int = 1) -> None:
        self._planned.setdefault(method, deque()).extend([*[None] * after, *[error] * times])

    def play(self, method: str) -> None:
        planned = self._planned.get(method)
        error = planned.popleft() if planned else None
        if error is not None:
            raise error


class FakeDirectory:
    """A tenant in memory. Change its public dictionaries to change the tenant; `fail` scripts an error."""

    def __init__(self, clock: FixedClock, *, page_size: int = 100) -> None:
        self.clock = clock
        self.page_size = page_size
        self.everybody: dict[PersonId, Person] = {}
        self.held: dict[PersonId, tuple[Seat, ...]] = {}
        self.sold: dict[ProductId, Sku] = {}
        self.group_facts: dict[GroupId, Group] = {}
        self.members: dict[GroupId, list[PersonId]] = {}
        self.nested: dict[GroupId, list[GroupId]] = {}
        self.eligible: list[str] | None = None  # None: the tenant has no roles to take up
        self.roles: list[str] | None = None  # None: no permission to read who holds an admin role
        self.purposes: dict[PersonId, MailboxPurpose] = {}
        self.calls: list[tuple[str, ...]] = []
        self.slow = False
        self.replays = False
        self.tells_late = False  # a delta query that does not tell yet of what has changed
        self._links: list[dict[PersonId, tuple[Person, tuple[Seat, ...]]]] = []
        self._script = _Script()
        self._later: list[tuple[datetime, Callable[[], None]]] = []

    # Filling it -------------------------------------------------------------------------------------------------------
    def add(self, person: Person, *seats: Seat) -> None:
        self.everybody[person.id] = person
        self.held[person.id] = seats
        for seat in seats:
            for path in seat.paths:
                if path.group_id is not None:
                    self.members.setdefault(path.group_id, []).append(person.id)

    def remove(self, person: PersonId) -> None:
        del self.everybody[person]
        self.held.pop(person, None)
        for members in self.members.values():
            if person in members:
                members.remove(person)

    def fail(self, method: str, error: BaseException, *, after: int = 0, times: int = 1) -> None:
        """Let `method` succeed `after` times, then raise `error` `times` times."""
        self._script.fail(method, error, after=after, times=times)

    def forgive(self) -> None:
        """Let everything succeed from now on."""
        self._script = _Script()

    def later(self, delay: timedelta, change: Callable[[], None]) -> None:
        """Change the tenant once the clock has moved by `delay`; at once for no delay."""
        self._later.append((self.clock.now() + delay, change))

    def drop_path(self, person: PersonId, product: ProductId | None, group: GroupId | None) -> None:
        """Take a path away from one seat of a person, or from all (`product` None); a seat without paths is gone."""
        left = [
            replace(seat, paths=tuple(path for path in seat.paths if path.group_id != group))
            if product in (None, seat.product_id)
            else seat
            for seat in self.held.get(person, ())
        ]
        self.held[person] = tuple(seat for seat in left if seat.paths)

    def add_path(self, person: PersonId, product: ProductId, path: Path) -> None:
        """Give a path of one product from now on; a path that was there is replaced."""
        given = replace(path, updated_at=self.clock.now())
        held = {seat.product_id: seat for seat in self.held.get(person, ())}
        before = held.get(product) or Seat(id=seat_id(person, product), person_id=person, product_id=product, paths=())
        others = tuple(one for one in before.paths if one.group_id != path.group_id)
        held[product] = replace(before, paths=(*others, given))
        self.held[person] = tuple(held.values())

    # Reading it -------------------------------------------------------------------------------------------------------
    async def skus(self) -> Page[Sku]:
        return self._page("skus", list(self.sold.values()), None, size=10_000)

    async def people(self, cursor: str | None) -> Page[PersonRow]:
        # Sign-ins are a stream of their own, as at Microsoft's.
        rows = [
            PersonRow(person=replace(person, sign_ins=None), seats=self.held.get(person.id, ()))
            for person in self._present()
        ]
        return self._page("people", rows, cursor)

    def time_for_sign_ins(self, people: int) -> timedelta | None:
        return timedelta(seconds=people) if self.slow else None

    async def sign_ins(self, cursor: str | None) -> Page[SignInRow]:
        rows = [
            SignInRow(person_id=person.id, sign_ins=person.sign_ins)
            for person in self._present()
            if person.sign_ins is not None
        ]
        return self._page("sign_ins", rows, cursor)

    async def changes(self, cursor: str | None) -> ChangesPage:
        """Compare the tenant with what it was when the link was made; a cursor is "link:new link:start"."""
        self._arrive("changes", *([cursor] if cursor else []))
        if cursor is None:
            return ChangesPage(ids=(), next_cursor=None, link=self._link(), request=self._request("changes", 0, ()))
        link, _, rest = cursor.partition(":")
        new, _, start = (rest or f"{self._link()}:0").partition(":")
        before, now = self._links[int(link)], self._links[int(new)]
        ids = [one for one in sorted({*before, *now}) if before.get(one) != now.get(one) or self.replays]
        ids = [] if self.tells_late else ids
        page = tuple(ids[int(start) : int(start) + self.page_size])
        more = int(start) + self.page_size < len(ids)
        return ChangesPage(
            ids=page * 2 if self.replays else page,
            next_cursor=f"{link}:{new}:{int(start) + self.page_size}" if more else None,
            link=None if more else new,
            request=self._request("changes", int(start), page),
        )

    def _link(self) -> str:
        self._links.append(
            {one.id: (replace(one, sign_ins=None), self.held.get(one.id, ())) for one in self._present()}
        )
        return str(len(self._links) - 1)

    async def people_now(self, people: Sequence[PersonId]) -> PeopleNow:
        self._arrive("people_now", *people)
        there = [self.everybody[one] for one in people if one in self.everybody]
        rows = tuple(PersonRow(person=replace(one, sign_ins=None), seats=self.held.get(one.id, ())) for one in there)
        gone = tuple(one for one in people if one not in self.everybody)
        return PeopleNow(rows=rows, gone=gone, requests=(self._request("people_now", 0, people),))

    async def groups(self, cursor: str | None) -> Page[Group]:
        return self._page("groups", [group for group in self.group_facts.values() if group.sku_ids], cursor)

    async def group_members(self, group: GroupId, cursor: str | None) -> Page[PersonId]:
        if group not in self.members and group not in self.group_facts:
            self.calls.append(("group_members", group))
            raise DirectoryError("Microsoft knows no such group.", permanent=True, status=404)
        return self._page("group_members", list(self.members.get(group, [])), cursor, group)

    async def everyone_in(self, group: GroupId, cursor: str | None) -> Page[PersonId]:
        if group not in self.members and group not in self.group_facts:
            self._arrive("everyone_in", group)
            raise DirectoryError("Microsoft knows no such group.", permanent=True, status=404)
        return self._page("everyone_in", self._everyone(group), cursor, group)

    def _everyone(self, group: GroupId) -> list[PersonId]:
        inside = [one for nested in self.nested.get(group, []) for one in self._everyone(nested)]
        return list(dict.fromkeys([*self.members.get(group, []), *inside]))

    async def groups_named(self, name: str) -> list[Group]:
        self._arrive("groups_named", name)
        return [group for group in self.group_facts.values() if group.name.casefold() == name.casefold()][:5]

    async def role_holders(self, cursor: str | None) -> Page[str]:
        if self.roles is None:
            self._arrive("role_holders")
            raise DirectoryError("Graph does not let us read roles.", permanent=True, status=403)
        return self._page("role_holders", list(self.roles), cursor)

    async def role_eligible(self, cursor: str | None) -> Page[str]:
        if self.eligible is None:
            self._arrive("role_eligible")
            raise DirectoryError("There is no such thing here.", permanent=True, status=404)
        return self._page("role_eligible", list(self.eligible), cursor)

    async def live_person(self, person: PersonId, *, with_sign_ins: bool) -> LivePerson | None:
        self._arrive("live_person", person)
        found = self.everybody.get(person)
        if found is None:
            return None
        return LivePerson(
            person=found if with_sign_ins else replace(found, sign_ins=None),
            seats=self.held.get(person, ()),
            direct_group_ids=tuple(group for group, members in self.members.items() if person in members),
        )

    async def mailbox_purpose(self, person: PersonId) -> MailboxPurpose:
        self._arrive("mailbox_purpose", person)
        return self.purposes.get(person, MailboxPurpose.USER)

    async def group(self, group: GroupId) -> Group | None:
        self._arrive("group", group)
        return self.group_facts.get(group)

    async def still_through(self, person: PersonId, group: GroupId) -> tuple[str, ...]:
        self._arrive("still_through", person, group)
        return tuple(
            self.group_facts[inner].name
            for inner in self.nested.get(group, ())
            if person in self.members.get(inner, ())
        )

    def _present(self) -> list[Person]:
        self._settle()
        return list(self.everybody.values())

    def _page(
        self, method: str, rows: Sequence[Row], cursor: str | None, *of: str, size: int | None = None
    ) -> Page[Row]:
        self._arrive(method, *of, *([cursor] if cursor else []))
        start, step = int(cursor or 0), size or self.page_size
        page = tuple(rows[start : start + step])
        more = start + step < len(rows)
        return Page(
            rows=page, next_cursor=str(start + step) if more else None, request=self._request(method, start, page)
        )

    def _request(self, method: str, start: int, rows: Sequence[object]) -> Request:
        return Request(
            url=f"https://graph.test/{method}?skip={start}",
            request_id=f"request-{len(self.calls)}",
            rows=len(rows),
            sha256=hashlib.sha256(repr(rows).encode()).hexdigest(),
            at=self.clock.now(),
        )

    def _arrive(self, method: str, *of: str) -> None:
        self.calls.append((method, *of))
        self._script.play(method)
        self._settle()

    def _settle(self) -> None:
        due = [change for at, change in self._later if at <= self.clock.now()]
        self._later = [(at, change) for at, change in self._later if at > self.clock.now()]
        for change in due:
            change()


class FakeWriter:
    """Records writes and makes them in the directory. What a group gives disappears after `group_delay`."""

    def __init__(self, directory: FakeDirectory, *, group_delay: timedelta = timedelta(0), apply: bool = True) -> None:
        self.directory = directory
        self.group_delay = group_delay
        self.apply = apply
        self.calls: list[tuple[str, ...]] = []
        self.client_request_ids: list[str] = []
        self._script = _Script()

    def fail(self, method: str, error: BaseException, *, after: int = 0, times: int = 1) -> None:
        """Script an error; a WriteBackError with `maybe_applied` is raised after the change was made."""
        self._script.fail(method, error, after=after, times=times)

    def forgive(self) -> None:
        """Let everything succeed from now on."""
        self._script = _Script()

    async def turn(self, *, clicked: bool) -> None:
        self._script.play("turn")

    async def remove_direct(self, person: PersonId, *products: ProductId, client_request_id: str) -> WriteResult:
        there = self._directly_held(person)
        missing = [product for product in products if product not in there]
        if missing and len(products) > 1:
            # All or nothing, as at Microsoft's, and it does not say which of them is missing.
            self.calls.append(("remove_direct", person, *products))
            raise WriteBackError("No such license.", permanent=True, maybe_applied=False, status=400)

        def change() -> None:
            for product in products:
                self.directory.drop_path(person, product, None)

        return self._write("remove_direct", (person, *products), client_request_id, absent=bool(missing), change=change)

    async def leave_group(self, person: PersonId, group: GroupId, *, client_request_id: str) -> WriteResult:
        members = self.directory.members.get(group, [])

        def change() -> None:
            members.remove(person)
            self.directory.later(self.group_delay, lambda: self.directory.drop_path(person, None, group))

        return self._write(
            "leave_group", (person, group), client_request_id, absent=person not in members, change=change
        )

    async def assign_direct(
        self, person: PersonId, product: ProductId, disabled_plans: Collection[str], *, client_request_id: str
    ) -> WriteResult:
        path = Path(group_id=None, state="Active", disabled_plans=tuple(disabled_plans))
        return self._write(
            "assign_direct",
            (person, product),
            client_request_id,
            absent=False,
            change=lambda: self.directory.add_path(person, product, path),
        )

    async def join_group(self, person: PersonId, group: GroupId, *, client_request_id: str) -> WriteResult:
        def change() -> None:
            members = self.directory.members.setdefault(group, [])
            if person not in members:
                members.append(person)
            for product in self.directory.group_facts[group].sku_ids:
                path = Path(group_id=group, state="Active")
                self.directory.later(self.group_delay, partial(self.directory.add_path, person, product, path))

        return self._write("join_group", (person, group), client_request_id, absent=False, change=change)

    async def read_back(self, person: PersonId, product: ProductId) -> ReadBack:
        self.calls.append(("read_back", person, product))
        self._script.play("read_back")
        live = await self.directory.live_person(person, with_sign_ins=False)
        seats = live.seats if live else ()
        wanted = seat_id(person, product)
        return ReadBack(
            seat=next((seat for seat in seats if seat.id == wanted), None), request_id=f"read-{len(self.calls)}"
        )

    def _directly_held(self, person: PersonId) -> set[ProductId]:
        held = self.directory.held.get(person, ())
        return {seat.product_id for seat in held if any(path.group_id is None for path in seat.paths)}

    def _write(
        self, method: str, of: tuple[str, ...], client_request_id: str, *, absent: bool, change: Callable[[], None]
    ) -> WriteResult:
        self.calls.append((method, *of))
        self.client_request_ids.append(client_request_id)
        try:
            self._script.play(method)
        except WriteBackError as error:
            if error.maybe_applied and self.apply and not absent:
                change()
            raise
        if self.apply and not absent:
            change()
        return WriteResult(status=404 if absent else 204, request_id=f"write-{len(self.calls)}", already_absent=absent)


@dataclass(frozen=True, slots=True)
class Sent:
    """One call of `deliver` that arrived; `updated` says that it changed a message that was there."""

    person: PersonId
    notice: Notice
    delivery: Delivery
    updated: bool


class FakeMessenger:
    """Records notices. With `work` it also stores the message and the items it shows, as the real one does."""

    def __init__(self, clock: FixedClock, work: Work | None = None) -> None:
        self.clock = clock
        self.work = work
        self.sent: list[Sent] = []
        self.retired: list[tuple[str, Notice]] = []
        self.unreachable: set[PersonId] = set()
        self._script = _Script()
        self._live: dict[tuple[PersonId, str], MessageId] = {}

    def fail(self, error: BaseException, *, after: int = 0, times: int = 1) -> None:
        self._script.fail("deliver", error, after=after, times=times)

    def forgive(self) -> None:
        """Let everything succeed from now on."""
        self._script = _Script()

    def to(self, person: str) -> list[Notice]:
        """Return the notices that reached a person, oldest first."""
        return [one.notice for one in self.sent if one.person == person]

    async def deliver(self, person: PersonId, notice: Notice) -> Delivery:
        self._script.play("deliver")
        if person in self.unreachable:
            raise DeliveryError("No channel reaches this person.", permanent=True)
        key = (person, notice.matter)
        fresh = isinstance(notice, WaveNotice | ConsentNotice) and notice.fresh
        updated = key in self._live and not fresh
        message = self._live[key] if updated else MessageId(f"message-{len(self.sent) + 1}")
        self._live[key] = message
        delivery = Delivery(
            message_id=message,
            channel="fake",
            conversation=f"chat-{person}",
            external_id=f"external-{message}",
            payload_sha256=hashlib.sha256(repr(notice).encode()).hexdigest(),
            sent_at=self.clock.now(),
        )
        if self.work is not None:
            await self._store(self.work, person, notice, delivery)
        self.sent.append(Sent(person, notice, delivery, updated))
        return delivery

    async def retire(self, matter: str, notice: Notice) -> None:
        self.retired.append((matter, notice))

    async def _store(self, work: Work, person: PersonId, notice: Notice, delivery: Delivery) -> None:
        async with work.write() as unit:
            await unit.messages.put(
                MessageRecord(
                    id=delivery.message_id,
                    person_id=person,
                    channel=delivery.channel,
                    conversation=delivery.conversation,
                    matter=notice.matter,
                    kind="consent.request" if isinstance(notice, ConsentNotice) else type(notice).__name__,
                    state="sent",
                    version=1,
                    external_id=delivery.external_id,
                    payload_sha256=delivery.payload_sha256,
                    data_as_of=None,
                    created_at=delivery.sent_at,
                    sent_at=delivery.sent_at,
                )
            )
            if isinstance(notice, WaveNotice):
                await unit.messages.show_items(delivery.message_id, _items(notice))
            await unit.commit()


def _items(notice: WaveNotice) -> Iterable[ItemId]:
    return [row.item.id for row in (*notice.wave.open_rows, *notice.wave.answered)]


class FakeTenantChecks:
    """A tenant that lets us do everything, but for what a test takes away.

    Attributes:
        lacking: Permissions that the applications do not have.
        errors: What a question raises instead, by permission; "token" and "writer" for the tokens.
        tells: Whether the token says what it may do.
    """

    def __init__(self) -> None:
        self.separate_writer = False
        self.lacking: set[Permission] = set()
        self.granted_since: set[Permission] = set()
        self.errors: dict[str, Exception] = {}
        self.tells = True
        self.time: datetime | None = None

    async def token(self, *, writer: bool) -> None:
        self._fail("writer" if writer else "token")

    async def read(self, permission: Permission) -> datetime | None:
        self._fail(permission)
        if permission in self.lacking:
            raise DirectoryError(
                f"Graph does not let us read: {permission} is missing.",
                permanent=True,
                status=403,
                graph_code="Authorization_RequestDenied",
            )
        return self.time

    async def write_permissions(self, *, anew: bool) -> frozenset[Permission] | None:
        self._fail("writer" if self.separate_writer else "token")
        missing = self.lacking - (self.granted_since if anew else set())
        return frozenset(WRITING - missing) if self.tells else None

    async def may(self, permission: Permission) -> bool | None:
        self._fail("token")
        return permission not in self.lacking if self.tells else None

    def consent_link(self, *, writer: bool) -> str:
        return f"https://login.example/tenant/adminconsent?client_id={'writer' if writer else 'reader'}"

    def _fail(self, question: str) -> None:
        if error := self.errors.get(question):
            raise error


class InMemoryEngine:
    """Runs jobs when told. A key is one job for ever; an error ends a job for good, as in DBOS; a kill does not."""

    def __init__(self) -> None:
        self.handlers: dict[str, Handler] = {}
        self.queued: deque[Job] = deque()
        self.done: list[Job] = []
        self.failed: list[tuple[Job, Exception]] = []
        self.longest_wait: timedelta | None = None
        self._keys: set[str] = set()

    def register(self, kind: str, handler: Handler) -> None:
        self.handlers[kind] = handler

    async def start(self) -> None:
        """Nothing to do: jobs run in `drain`."""

    async def stop(self, drain: timedelta) -> None:
        """Nothing to do: nothing runs in the background."""

    async def backlog(self) -> tuple[int, timedelta | None]:
        return len(self.queued), self.longest_wait

    async def enqueue(self, job: Job) -> None:
        self._add(job)

    def enqueue_in(self, connection: Connection, job: Job) -> None:
        """Enqueue in the transaction of `connection`, for `SqlWork`: the job is there when that commits, not before."""
        # Storage takes a connection per transaction, so this listener dies with it, also where nothing was committed.
        event.listen(connection, "commit", lambda _: self._add(job))

    async def idle(self) -> None:
        await self.drain()

    async def drain(self) -> None:
        """Run all jobs, also those that they enqueue; then raise the first error, if there was one.

        A job that is killed stays first in the queue and runs again at the next `drain`.
        """
        first: Exception | None = None
        while self.queued:
            job = self.queued[0]
            try:
                await self.handlers[job.kind](job)
            except Exception as error:  # noqa: BLE001 - what the real engine does at its edge
                self.failed.append((job, error))
                first = first or error
            self.queued.popleft()
            self.done.append(job)
        if first is not None:
            raise first

    def _add(self, job: Job) -> None:
        if job.key not in self._keys:
            self._keys.add(job.key)
            self.queued.append(job)
