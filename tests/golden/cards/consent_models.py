"""Consent programs, as the cards show them: the story of UX.md 2.3, and every other state."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from reclaim.domain.campaign import WriteMode
from reclaim.domain.consent import ApprovedBy, ConsentRequest, NoUse, RequestState, StillUsed
from reclaim.domain.consent_appeal import ConsentAppeal, ConsentAppealState
from reclaim.domain.consent_funnel import Answer, Funnel, Stage, Standing, count
from reclaim.domain.consent_program import ConsentProgram, KeepDecides, OnSilence, ProgramState, Terms
from reclaim.domain.consent_run import ConsentRun, RunState
from reclaim.domain.consent_views import (
    ConsentView,
    ProgramView,
    RequestLine,
    RequestPage,
    RunView,
    WaiterView,
)
from reclaim.domain.ids import (
    ChangeId,
    ConsentId,
    ConsentRunId,
    GroupId,
    PersonId,
    ProductId,
    ProgramId,
)
from reclaim.domain.membership import ChangeKind, ChangeState, ChangeWhy, MembershipChange, Result
from reclaim.domain.money import Money
from reclaim.domain.wait_list import Waiter, WaitState
from tests.golden.cards.models import HOSTILE as HOSTILE_NAME
from tests.golden.cards.models import NOW

HOSTILE: Final = HOSTILE_NAME.replace("Eve", "Ink")  # of a product, which a fallback text names

ADELE: Final = PersonId("adele")
MEGAN: Final = PersonId("megan")
DUE: Final = datetime(2026, 11, 30, 23, 0, tzinfo=UTC)
TERMS: Final = Terms(
    name="Visio, not used for 30 days",
    application="Visio Plan 2",
    source="nexthink",
    schedule="0 8 * * mon",
    zone="Europe/Zurich",
)
PROGRAM: Final = ConsentProgram(
    id=ProgramId("program-1"),
    terms=TERMS,
    group_id=GroupId("group-visio"),
    group_name="App Visio users",
    product_id=ProductId("visio"),
    state=ProgramState.ACTIVE,
    owner_id=PersonId("lynne"),
    created_at=NOW - timedelta(days=40),
    next_run_at=NOW + timedelta(days=7),
)
REQUEST: Final = ConsentRequest(
    id=ConsentId("request-1"),
    program_id=PROGRAM.id,
    run_id=ConsentRunId("run-1"),
    person_id=ADELE,
    product_id=PROGRAM.product_id,
    group_id=PROGRAM.group_id,
    no_use=NoUse(
        last_used_at=datetime(2026, 10, 9, 9, 0, tzinfo=UTC),
        unused_days=45,
        device="DESK-0147",
        source="nexthink",
        observed_at=NOW - timedelta(hours=4),
    ),
    state=RequestState.ASKED,
    found_at=NOW,
    asked_at=NOW,
    due_at=DUE,
)
QUESTION: Final = ConsentView(
    request=REQUEST,
    program=PROGRAM,
    viewer=ADELE,
    holder_name="Adele Vance",
    manager_name=None,
    now=NOW,
    undo_window=timedelta(days=30),
    reminders_left=(datetime(2026, 11, 27, 9, 0, tzinfo=UTC),),
)


def change(kind: ChangeKind, why: ChangeWhy, state: ChangeState, result: Result | None = None) -> MembershipChange:
    return MembershipChange(
        id=ChangeId("change-1"),
        program_id=PROGRAM.id,
        request_id=REQUEST.id,
        person_id=ADELE,
        group_id=PROGRAM.group_id,
        product_id=PROGRAM.product_id,
        kind=kind,
        why=why,
        state=state,
        asked_by=ADELE,
        asked_at=NOW,
        clicked=True,
        result=result,
    )


LEAVE: Final = change(ChangeKind.LEAVE, ChangeWhy.CONSENT, ChangeState.PLANNED)
COMING: Final = change(ChangeKind.JOIN, ChangeWhy.RESTORE, ChangeState.WRITTEN)
BACK: Final = change(ChangeKind.JOIN, ChangeWhy.RESTORE, ChangeState.DONE, Result.THERE)
FULL: Final = replace(change(ChangeKind.JOIN, ChangeWhy.RESTORE, ChangeState.DONE, Result.NO_FREE_SEAT), detail="60")


def seen(state: RequestState, **more: object) -> ConsentView:
    """Return the request as its holder sees it in another state."""
    changed: dict[str, object] = {"state": state, "due_at": None, "reason": None, **more}
    return replace(QUESTION, request=replace(REQUEST, **changed), reminders_left=())  # type: ignore[arg-type]


AGREED: Final = replace(
    seen(RequestState.AGREED, approved_by=ApprovedBy.HOLDER, answered_by=ADELE, answered_at=NOW), leave=LEAVE
)
GONE: Final = seen(
    RequestState.REMOVED,
    approved_by=ApprovedBy.HOLDER,
    answered_by=ADELE,
    answered_at=NOW,
    ended_at=NOW + timedelta(minutes=12),
)
REMOVED: Final = replace(GONE, until=NOW + timedelta(days=30))
ENFORCED: Final = replace(
    REMOVED, request=replace(REMOVED.request, approved_by=ApprovedBy.PROGRAM, answered_by=None, answered_at=None)
)
SILENT: Final = replace(ENFORCED, request=replace(ENFORCED.request, approved_by=ApprovedBy.SILENCE))
RESTORED: Final = replace(ENFORCED, restore=BACK, back_refusal="It is back already.")
RESTORING: Final = replace(ENFORCED, restore=COMING, back_refusal="It is coming back already.")
NOT_RESTORED: Final = replace(ENFORCED, restore=FULL)
LAST_REMINDER: Final = replace(QUESTION, reminder=1, reminders_left=())
REMOVES: Final = replace(QUESTION, program=replace(PROGRAM, terms=replace(TERMS, on_silence=OnSilence.REMOVE)))
ESCALATES: Final = replace(
    QUESTION,
    program=replace(
        PROGRAM,
        terms=replace(
            TERMS,
            on_silence=OnSilence.ESCALATE,
            keep_decided_by=KeepDecides.MANAGER,
            uninstalls=False,
            question="Hello. Visio costs us a lot. Do you need it?",
        ),
    ),
    request=replace(REQUEST, had_time=True, no_use=replace(REQUEST.no_use, last_used_at=None, device=None)),
)
DRY: Final = replace(QUESTION, mode=WriteMode.DRY_RUN)
STRANGE: Final = replace(
    QUESTION,
    holder_name=HOSTILE,
    program=replace(PROGRAM, group_name=HOSTILE, terms=replace(TERMS, application=HOSTILE, name=HOSTILE)),
    request=replace(REQUEST, no_use=replace(REQUEST.no_use, device=HOSTILE)),
)
TO_MANAGER: Final = replace(
    QUESTION,
    viewer=MEGAN,
    manager_name="Megan Bowen",
    request=replace(
        REQUEST,
        state=RequestState.WITH_MANAGER,
        manager_id=MEGAN,
        answered_by=ADELE,
        answered_at=NOW,
        reason=StillUsed.OTHER_DEVICE,
        note="I use it on the drawing tablet.",
    ),
    reminders_left=(),
)
TO_MANAGER_SILENT: Final = replace(
    TO_MANAGER, request=replace(TO_MANAGER.request, answered_by=None, answered_at=None, reason=None, note=None)
)
MANAGER_TOOK: Final = replace(
    TO_MANAGER,
    request=replace(
        TO_MANAGER.request,
        state=RequestState.AGREED,
        approved_by=ApprovedBy.MANAGER,
        answered_by=MEGAN,
        due_at=None,
    ),
)
MANAGER_DONE: Final = replace(
    MANAGER_TOOK, request=replace(MANAGER_TOOK.request, state=RequestState.REMOVED, ended_at=NOW)
)

APPEAL: Final = ConsentAppeal(
    request_id=REQUEST.id,
    program_id=PROGRAM.id,
    person_id=ADELE,
    text="I draw the floor plans of the new store with it in December.",
    asked_at=NOW,
    decider_id=MEGAN,
    due_at=NOW + timedelta(days=5),
)
APPEALED: Final = replace(ENFORCED, appeal=APPEAL, decider_name="Megan Bowen")
APPEAL_REFUSED: Final = replace(
    APPEALED, appeal=replace(APPEAL, state=ConsentAppealState.REFUSED, reason="The plans are drawn elsewhere.")
)
APPEAL_SETTLED: Final = replace(
    RESTORED, appeal=replace(APPEAL, state=ConsentAppealState.SETTLED), decider_name="Megan Bowen"
)
APPEAL_IN_VAIN: Final = replace(
    NOT_RESTORED, appeal=replace(APPEAL, state=ConsentAppealState.GRANTED), decider_name="Megan Bowen"
)
APPEAL_LAPSED: Final = replace(APPEALED, appeal=replace(APPEAL, state=ConsentAppealState.LAPSED))
APPEAL_GRANTED: Final = replace(
    RESTORED, appeal=replace(APPEAL, state=ConsentAppealState.GRANTED), decider_name="Megan Bowen"
)

FUNNEL: Final = Funnel(
    stages={Stage.NOT_A_MEMBER: 9, Stage.EXCLUDED: 3, Stage.NOT_ASKABLE: 2, Stage.ASKED: 72},
    answers={Answer.AGREED: 41, Answer.KEPT: 19, Answer.SILENT: 7, Answer.OPEN: 4, Answer.OVERTAKEN: 1},
    standings={
        Standing.NOT_A_MEMBER: 9,
        Standing.EXCLUDED: 3,
        Standing.OPEN: 4,
        Standing.KEPT: 19,
        Standing.SILENT: 7,
        Standing.REMOVED: 38,
        Standing.RESTORED: 2,
        Standing.BY_HAND: 3,
        Standing.OTHERWISE: 1,
    },
    reasons={"uses_it": 12, "other_device": 5},
    seat=Money(1500, "USD"),
)
RUN: Final = ConsentRun(
    id=ConsentRunId("run-1"),
    program_id=PROGRAM.id,
    state=RunState.COMPLETE,
    started_at=NOW - timedelta(hours=1),
    asked_by=PersonId("lynne"),
    mode=WriteMode.LIVE,
    data_as_of=NOW - timedelta(hours=4),
    unmatched=3,
    ambiguous=1,
    counts={"waiting": 72, "not_a_member": 9, "used": 214, "unknown": 6, "excluded": 3, "by_hand": 2},
    ended_at=NOW,
)
VIEW: Final = ProgramView(
    program=PROGRAM, funnel=FUNNEL, newest_run=RUN, owner_name="Lynne Robbins", waiting_list=2, now=NOW
)
FRESH: Final = ProgramView(
    program=replace(
        PROGRAM,
        id=ProgramId("program-2"),
        state=ProgramState.PAUSED,
        next_run_at=None,
        terms=replace(TERMS, name="Miro", application="Miro", ask=False, schedule=None, mode=WriteMode.DRY_RUN),
    ),
    funnel=count([], None),
    newest_run=None,
    owner_name="Lynne Robbins",
    waiting_list=0,
    now=NOW,
)
RUN_VIEW: Final = RunView(run=RUN, program=PROGRAM, now=NOW)
RUN_STOPPED: Final = RunView(
    run=replace(
        RUN,
        state=RunState.STOPPED,
        counts={},
        unmatched=0,
        ambiguous=0,
        data_as_of=None,
        error="The newest usage data of Visio is 15 days old. At most 14 are allowed. Import newer data and run again.",
    ),
    program=PROGRAM,
    now=NOW,
)
RUN_DRY: Final = RunView(
    run=replace(RUN, mode=WriteMode.DRY_RUN, counts={"enforced": 4}, unmatched=0, ambiguous=0),
    program=replace(PROGRAM, terms=replace(TERMS, ask=False)),
    now=NOW,
)
PAGE: Final = RequestPage(
    program=PROGRAM,
    rows=[
        RequestLine(request=REQUEST, holder_name="Adele Vance", restored=False),
        RequestLine(request=REMOVED.request, holder_name="Isaiah Langer", restored=True),
        RequestLine(
            request=replace(REQUEST, state=RequestState.BY_HAND, why="group_nested", detail="Inner circle"),
            holder_name="Lee Gu",
            restored=False,
        ),
        RequestLine(
            request=replace(REQUEST, state=RequestState.UNREACHED, why="no_chat"),
            holder_name="Alex Wilber",
            restored=False,
        ),
    ],
    total=34,
    page=2,
    pages=4,
)
WAITER: Final = WaiterView(
    waiter=Waiter(
        product_id=PROGRAM.product_id,
        person_id=PersonId("miriam"),
        since=NOW - timedelta(days=9),
        asked_by=PersonId("lynne"),
        state=WaitState.TOLD,
        version=2,
    ),
    application="Visio Plan 2",
    person_name="Miriam Graham",
    zone="Europe/Zurich",
)
ADDED: Final = replace(WAITER, waiter=replace(WAITER.waiter, state=WaitState.ADDED))


def by_intune(view: ConsentView) -> ConsentView:
    """Return a request that was found because the application is installed nowhere."""
    absent = replace(view.request.no_use, source="intune", observed_at=NOW - timedelta(days=8))
    return replace(view, request=replace(view.request, no_use=absent))


NOT_INSTALLED: Final = by_intune(QUESTION)
NOT_INSTALLED_MANAGER: Final = by_intune(TO_MANAGER)
NOT_INSTALLED_SILENT: Final = by_intune(TO_MANAGER_SILENT)
