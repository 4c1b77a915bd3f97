"""Everything about one consent program, for its owner and an auditor. All numbers are counted from `requests`."""

from dataclasses import dataclass
from datetime import datetime

from reclaim.domain.consent import ConsentRequest, RequestState
from reclaim.domain.consent_appeal import ConsentAppeal
from reclaim.domain.consent_funnel import Answer, Funnel, Place, Stage, Standing
from reclaim.domain.consent_program import ConsentProgram
from reclaim.domain.consent_run import ConsentRun
from reclaim.domain.membership import ChangeKind, MembershipChange, Result
from reclaim.domain.policy import Policy
from reclaim.domain.read_models import ReportLog


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRequest:
    """One request with all that became of it.

    Attributes:
        number: Of its row, from 1.
        place: Where it stands.
        leave, restore: The newest change that carried it out, or undid it.
        ended_in: Number of the event in which it ended; None: it has not.
    """

    number: int
    request: ConsentRequest
    place: Place
    person_name: str
    upn: str
    answered_by_name: str | None
    manager_name: str | None
    leave: MembershipChange | None
    restore: MembershipChange | None
    appeal: ConsentAppeal | None
    decider_name: str | None
    ended_in: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportChange:
    """One change of membership; `number` is that of its request, None for a waiting list."""

    number: int | None
    person_name: str
    asked_by_name: str
    change: MembershipChange


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRun:
    """One run; `number` counts a program's runs from 1, `version` is that of the program's terms at its start."""

    number: int
    run: ConsentRun
    asked_by_name: str
    version: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportTerms:
    """Terms as they were set: what differs from the ones before, as (term, before, now); all are new in the first."""

    seq: int
    at: datetime
    by_name: str
    version: int
    changed: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentReport:
    """The report.

    Attributes:
        pseudonymous: Names, addresses, devices and what people wrote are replaced by ids or left out.
        only_run: The number of the one run that it is about; None: all.
    """

    program: ConsentProgram
    pseudonymous: bool
    written_at: datetime
    owner_name: str
    only_run: int | None
    funnel: Funnel
    requests: tuple[ReportRequest, ...]
    runs: tuple[ReportRun, ...]
    changes: tuple[ReportChange, ...]
    terms: tuple[ReportTerms, ...]
    log: ReportLog
    policy: Policy

    @property
    def approved(self) -> tuple[ReportRequest, ...]:
        """Those that were to be removed, by whose word ever."""
        return tuple(one for one in self.requests if one.place.approved_by is not None)

    @property
    def removed(self) -> tuple[ReportRequest, ...]:
        """Those that are verified gone and not there again."""
        return self.standing(Standing.REMOVED)

    def stage(self, *stages: Stage) -> tuple[ReportRequest, ...]:
        """Return those that came so far."""
        return tuple(one for one in self.requests if one.place.stage in stages)

    def answer(self, answer: Answer) -> tuple[ReportRequest, ...]:
        """Return those whose question became this."""
        return tuple(one for one in self.requests if one.place.answer is answer)

    def standing(self, *standings: Standing) -> tuple[ReportRequest, ...]:
        """Return those that stand so."""
        return tuple(one for one in self.requests if one.place.standing in standings)


def place_of(request: ConsentRequest, restored: bool) -> Place:
    """Return where a request stands."""
    return Place(
        state=request.state,
        asked=request.asked_at is not None,
        approved_by=request.approved_by,
        reason=request.reason.value if request.reason else None,
        restored=restored and request.state is RequestState.REMOVED,
    )


def is_back(change: MembershipChange) -> bool:
    """Say whether a change has brought somebody back into the group."""
    return change.kind is ChangeKind.JOIN and change.result is Result.THERE
