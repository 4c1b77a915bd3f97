"""What is remembered of consent programs: programs, runs, requests, changes of membership, waiting lists."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from reclaim.domain.consent import ConsentRequest, RequestState
from reclaim.domain.consent_appeal import ConsentAppeal
from reclaim.domain.consent_funnel import Place
from reclaim.domain.consent_program import ConsentProgram, ProgramState
from reclaim.domain.consent_run import ConsentRun
from reclaim.domain.ids import (
    ChangeId,
    ConsentId,
    ConsentRunId,
    GroupId,
    PersonId,
    ProductId,
    ProgramId,
)
from reclaim.domain.membership import ChangeWhy, MembershipChange
from reclaim.domain.wait_list import Waiter


class Consents(Protocol):
    """Consent programs and all that belongs to them. `save` is compare-and-set on the version; Conflict if not the next."""

    async def add_program(self, program: ConsentProgram) -> None:
        """Store a new one. Raises Conflict where another one that has not ended has the name or the group."""
        ...

    async def save_program(self, program: ConsentProgram) -> None: ...

    async def program(self, program: ProgramId) -> ConsentProgram | None: ...

    async def programs(self, states: Iterable[ProgramState] | None = None) -> list[ConsentProgram]:
        """Return them by name; None: all, ended ones too."""
        ...

    async def due_programs(self, now: datetime) -> list[ConsentProgram]:
        """Return active programs whose schedule is due."""
        ...

    async def add_run(self, run: ConsentRun) -> None:
        """Store a new run. Raises Conflict while another one of the program is running."""
        ...

    async def save_run(self, run: ConsentRun) -> None: ...

    async def run(self, run: ConsentRunId) -> ConsentRun | None: ...

    async def running(self) -> list[ConsentRun]: ...

    async def newest_run(self, program: ProgramId) -> ConsentRun | None: ...

    async def runs_of(self, program: ProgramId) -> list[ConsentRun]:
        """Return every run of a program, the oldest first."""
        ...

    async def add_requests(self, requests: Sequence[ConsentRequest]) -> None:
        """Store new requests; open ones open their question.

        Raises:
            Conflict: Somebody is being asked about one of these already, by a program or a campaign.
        """
        ...

    async def save_request(self, request: ConsentRequest) -> None:
        """Store a request; one that has ended closes its question."""
        ...

    async def request(self, request: ConsentId) -> ConsentRequest | None: ...

    async def requests(self, requests: Iterable[ConsentId]) -> dict[ConsentId, ConsentRequest]: ...

    async def open_of(self, person: PersonId) -> list[ConsentRequest]:
        """Return what a person has to answer, as holder or as who decides, the oldest first."""
        ...

    async def page(
        self, program: ProgramId, states: Iterable[RequestState] | None, *, offset: int, limit: int
    ) -> tuple[list[ConsentRequest], int]:
        """Return a page of a program's requests, the newest first, and how many there are."""
        ...

    async def all_of(self, program: ProgramId) -> list[ConsentRequest]:
        """Return every request of a program, the oldest first."""
        ...

    async def waiting(self, *, limit: int, after: ConsentId | None = None) -> list[ConsentRequest]:
        """Return requests that wait to be asked, of active programs, in the order of their ids, behind `after`."""
        ...

    async def undecided_of_ended(self, *, limit: int) -> list[ConsentRequest]:
        """Return undecided requests of programs that have ended."""
        ...

    async def asked_since(self, since: datetime, program: ProgramId) -> int:
        """Return how many of a program were first asked since."""
        ...

    async def due_requests(self, now: datetime, *, limit: int) -> list[ConsentRequest]:
        """Return those whose question closes, or whose time is over, the longest due first."""
        ...

    async def to_remind(self, *, after: ConsentId | None, limit: int) -> list[ConsentRequest]:
        """Return those that are asked, in the order of their ids, behind `after`."""
        ...

    async def figures(self, program: ProgramId) -> list[tuple[Place, int]]:
        """Return where the requests of a program stand, each place once, with how many stand there."""
        ...

    async def with_open_question(self, people: Iterable[PersonId], product: ProductId) -> frozenset[PersonId]:
        """Return those about whom somebody is being asked, by any program or campaign."""
        ...

    async def cooling(self, people: Iterable[PersonId], product: ProductId, now: datetime) -> frozenset[PersonId]:
        """Return those about whom somebody answered lately, to any program or campaign."""
        ...

    async def kept_at(self, people: Iterable[PersonId], product: ProductId) -> Mapping[PersonId, datetime]:
        """Return when somebody last said that they still use it."""
        ...

    async def remember(self, request: ConsentRequest, *, choice: str, until: datetime) -> None:
        """Keep an answer, for every flow, in place of the one before."""
        ...

    async def questions_today(self, people: Iterable[PersonId], since: datetime) -> Mapping[PersonId, int]:
        """Return how many questions each person was sent since, over all programs and campaigns."""
        ...

    async def add_change(self, change: MembershipChange) -> None:
        """Store a new one. Raises Conflict while another one of the person and the group is running."""
        ...

    async def save_change(self, change: MembershipChange) -> None: ...

    async def change(self, change: ChangeId) -> MembershipChange | None: ...

    async def changes_of(self, requests: Iterable[ConsentId]) -> dict[ConsentId, list[MembershipChange]]:
        """Return the changes of each, the oldest first."""
        ...

    async def changes_of_program(self, program: ProgramId) -> list[MembershipChange]: ...

    async def due_changes(self, now: datetime, *, limit: int) -> list[MembershipChange]: ...

    async def with_intended(self, people: Iterable[PersonId], *, but: ChangeId | None = None) -> frozenset[PersonId]:
        """Return which of them have a change, other than `but`, on its way: one write for a person at a time."""
        ...

    async def started_since(self, since: datetime, program: ProgramId, why: ChangeWhy) -> int:
        """Return how many changes of a program were made, or planned and not withdrawn, since."""
        ...

    async def written_since(self, since: datetime) -> int:
        """Return how many memberships were taken away since, by all programs."""
        ...

    async def add_appeal(self, appeal: ConsentAppeal) -> None:
        """Store a new one. Raises Conflict where the request has one."""
        ...

    async def save_appeal(self, appeal: ConsentAppeal) -> None: ...

    async def appeal(self, request: ConsentId) -> ConsentAppeal | None: ...

    async def appeals_of(self, program: ProgramId) -> list[ConsentAppeal]:
        """Return every appeal of a program, the oldest first."""
        ...

    async def due_appeals(self, now: datetime, *, limit: int) -> list[ConsentAppeal]:
        """Return open appeals whose time is over."""
        ...

    async def next_due(self, after: datetime) -> datetime | None:
        """Return when the next thing of any program becomes due."""
        ...

    async def wait(self, waiter: Waiter) -> None:
        """Put somebody on a waiting list. Raises Conflict if they are on it."""
        ...

    async def save_waiter(self, waiter: Waiter) -> None: ...

    async def waiters(self, product: ProductId, *, limit: int) -> list[Waiter]:
        """Return who waits for a product, the longest waiting first."""
        ...

    async def waiter(self, product: ProductId, person: PersonId) -> Waiter | None:
        """Return the entry of somebody who waits, or was told."""
        ...

    async def by_group(self, group: GroupId) -> ConsentProgram | None:
        """Return the program of a group that has not ended."""
        ...
