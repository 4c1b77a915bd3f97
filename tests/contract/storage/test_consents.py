"""Consent programs in storage: everything comes back whole, versions are compared, one question and one change at a time."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reclaim.domain.campaign import WriteMode
from reclaim.domain.consent import ApprovedBy, ConsentRequest, NoUse, RequestState, StillUsed
from reclaim.domain.consent_appeal import ConsentAppeal
from reclaim.domain.consent_funnel import Place
from reclaim.domain.consent_program import ConsentProgram, KeepDecides, OnSilence, ProgramState, Terms
from reclaim.domain.consent_run import ConsentRun, RunState
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
from reclaim.domain.review import Choice
from reclaim.domain.wait_list import Waiter, WaitState
from reclaim.errors import Conflict
from reclaim.ports.storage import Work
from tests.contract.storage.campaign_samples import HOUR, NOW, VISIO, item, message, store

DAY = timedelta(days=1)
PROGRAM = ConsentProgram(
    id=ProgramId("p1"),
    terms=Terms(
        name="Miro",
        application="Miro",
        source="csv",
        source_application="miro.exe",
        unused_days=45,
        ask=False,
        question="Still?",
        keep_decided_by=KeepDecides.MANAGER,
        on_silence=OnSilence.REMOVE,
        answer_days=9,
        reminders=2,
        cooldown_days=60,
        questions_per_day=11,
        removals_per_day=12,
        uninstalls=False,
        fills=True,
        schedule="0 8 * * mon",
        zone="Europe/Zurich",
        price=Money(1250, "EUR"),
        mode=WriteMode.DRY_RUN,
    ),
    group_id=GroupId("g1"),
    group_name="App Miro",
    product_id=ProductId("app-g1"),
    state=ProgramState.ACTIVE,
    owner_id=PersonId("lynne"),
    created_at=NOW,
    next_run_at=NOW + DAY,
)
RUN = ConsentRun(
    id=ConsentRunId("r1"),
    program_id=PROGRAM.id,
    state=RunState.RUNNING,
    started_at=NOW,
    asked_by=PersonId("lynne"),
    mode=WriteMode.LIVE,
    people=(PersonId("ada"),),
    devices=("DESK-1",),
    data_as_of=NOW - DAY,
    unmatched=3,
    ambiguous=1,
    after=PersonId("ada"),
    counts={"waiting": 2, "used": 5},
    error="why",
    not_before=NOW + HOUR,
)


def request(ref: str = "ada", state: RequestState = RequestState.ASKED, *, id: str | None = None) -> ConsentRequest:
    return ConsentRequest(
        id=ConsentId(id or f"request-{ref}"),
        program_id=PROGRAM.id,
        run_id=RUN.id,
        person_id=PersonId(ref),
        product_id=PROGRAM.product_id,
        group_id=PROGRAM.group_id,
        no_use=NoUse(last_used_at=NOW - 50 * DAY, unused_days=50, device="DESK-1", source="csv", observed_at=NOW - DAY),
        state=state,
        found_at=NOW,
        asked_at=NOW,
        due_at=NOW + 7 * DAY,
        later_until=NOW + 3 * DAY,
        had_time=True,
        reminded=1,
        manager_id=PersonId("megan"),
        answered_by=PersonId(ref),
        answered_at=NOW + HOUR,
        reason=StillUsed.LATER,
        note="a note",
        approved_by=ApprovedBy.MANAGER,
        why="gone",
        detail="a detail",
    )


def change(ref: str = "ada", *, id: str = "c1", of: str | None = "request-ada") -> MembershipChange:
    return MembershipChange(
        id=ChangeId(id),
        program_id=PROGRAM.id,
        request_id=ConsentId(of) if of else None,
        person_id=PersonId(ref),
        group_id=PROGRAM.group_id,
        product_id=PROGRAM.product_id,
        kind=ChangeKind.LEAVE,
        why=ChangeWhy.CONSENT,
        state=ChangeState.INTENDED,
        asked_by=PersonId(ref),
        asked_at=NOW,
        clicked=True,
        not_before=NOW,
        checks=2,
        write_id="write",
        answer_id="answer",
        maybe_written=True,
        intended_at=NOW,
        written_at=NOW + HOUR,
        detail="detail",
    )


async def put(work: Work, *requests: ConsentRequest) -> None:
    async with work.write() as unit:
        await unit.consents.add_program(PROGRAM)
        await unit.consents.add_run(RUN)
        await unit.consents.add_requests(requests)
        await unit.commit()


async def test_everything_comes_back_as_it_was_stored(work: Work) -> None:
    await put(work, request())
    waiter = Waiter(product_id=PROGRAM.product_id, person_id=PersonId("ben"), since=NOW, asked_by=PersonId("lynne"))
    async with work.write() as unit:
        await unit.consents.add_change(change())
        await unit.consents.wait(waiter)
        await unit.commit()

    async with work.read() as unit:
        assert await unit.consents.program(PROGRAM.id) == PROGRAM
        assert await unit.consents.run(RUN.id) == RUN
        assert await unit.consents.request(ConsentId("request-ada")) == request()
        assert await unit.consents.change(ChangeId("c1")) == change()
        assert await unit.consents.waiters(PROGRAM.product_id, limit=9) == [waiter]
        assert await unit.consents.by_group(PROGRAM.group_id) == PROGRAM
        assert await unit.consents.open_of(PersonId("ada")) == [request()]
        assert await unit.consents.with_intended([PersonId("ada"), PersonId("bob")]) == {"ada"}
        assert not await unit.consents.with_intended([PersonId("ada")], but=ChangeId("c1"))


async def test_a_save_that_comes_second_is_a_conflict(work: Work) -> None:
    await put(work, request())
    async with work.write() as unit:
        await unit.consents.add_change(change())
        await unit.commit()

    saves = {
        "program": replace(PROGRAM, version=2),
        "run": replace(RUN, version=2),
        "request": replace(request(), version=2),
        "change": replace(change(), version=2),
    }
    for name, value in saves.items():
        async with work.write() as unit:
            await getattr(unit.consents, f"save_{name}")(value)
            await unit.commit()
        async with work.write() as unit:
            with pytest.raises(Conflict):
                await getattr(unit.consents, f"save_{name}")(value)


async def test_a_name_and_a_group_have_one_program_until_it_ends(work: Work) -> None:
    await put(work)
    other = replace(PROGRAM, id=ProgramId("p2"))
    same_name = replace(other, group_id=GroupId("g2"), terms=replace(PROGRAM.terms, name="MIRO"))
    same_group = replace(other, terms=replace(PROGRAM.terms, name="Other"))
    async with work.write() as unit:
        for one in (same_name, same_group):
            with pytest.raises(Conflict):
                await unit.consents.add_program(one)
        await unit.consents.save_program(replace(PROGRAM, state=ProgramState.ENDED, version=2))
        await unit.consents.add_program(other)
        await unit.commit()

    async with work.read() as unit:
        assert [one.id for one in await unit.consents.programs([ProgramState.ACTIVE])] == ["p2"]


async def test_a_program_runs_once_at_a_time(work: Work) -> None:
    await put(work)
    again = replace(RUN, id=ConsentRunId("r2"))
    async with work.write() as unit:
        with pytest.raises(Conflict, match="running already"):
            await unit.consents.add_run(again)
        await unit.consents.save_run(replace(RUN, state=RunState.COMPLETE, version=2))
        await unit.consents.add_run(again)
        await unit.commit()


async def test_a_question_is_open_over_programs_and_campaigns_until_the_request_ends(work: Work) -> None:
    holder = PersonId("holder-1")
    campaign_item = replace(item(1), person_id=holder)
    await store(work, campaign_item)
    await put(work)
    mine = replace(request("holder-1"), product_id=VISIO)
    async with work.write() as unit:
        await unit.items.open_questions([campaign_item], at=NOW)
        await unit.commit()
    async with work.write() as unit:
        with pytest.raises(Conflict, match="Somebody is being asked"):
            await unit.consents.add_requests([mine])
    async with work.write() as unit:
        await unit.items.close_questions([campaign_item.id], at=NOW)
        await unit.consents.add_requests([mine])
        await unit.commit()

    async with work.read() as unit:
        assert await unit.consents.with_open_question([holder], VISIO) == {holder}
    async with work.write() as unit:
        await unit.consents.save_request(replace(mine.ended(RequestState.KEPT, NOW), version=2))
        await unit.commit()
    async with work.read() as unit:
        assert await unit.consents.with_open_question([holder], VISIO) == frozenset()


async def test_an_answer_counts_for_the_cooldown_and_a_keep_says_when(work: Work) -> None:
    await put(work, request())
    async with work.write() as unit:
        await unit.consents.remember(request(), choice=Choice.KEEP.value, until=NOW + 60 * DAY)
        await unit.commit()

    async with work.read() as unit:
        people, product = [PersonId("ada"), PersonId("ben")], PROGRAM.product_id
        assert await unit.consents.cooling(people, product, NOW + 59 * DAY) == {"ada"}
        assert await unit.consents.cooling(people, product, NOW + 61 * DAY) == frozenset()
        assert await unit.consents.kept_at(people, product) == {"ada": NOW + HOUR}


async def test_questions_of_a_day_are_counted_once_each_over_all_flows(work: Work) -> None:
    await put(work, request())
    wave = replace(message("m1"), person_id=PersonId("ada"), kind="review.wave", matter="wave:spring", created_at=NOW)
    reminder = replace(wave, id=replace(wave).id + "-again", created_at=NOW + HOUR)  # type: ignore[arg-type]
    async with work.write() as unit:
        await unit.messages.put(wave)
        await unit.messages.put(reminder)
        await unit.commit()

    async with work.read() as unit:
        assert await unit.consents.questions_today([PersonId("ada"), PersonId("ben")], NOW - HOUR) == {"ada": 2}
        assert await unit.consents.questions_today([PersonId("ada")], NOW + 2 * HOUR) == {}


async def test_one_change_of_a_membership_at_a_time_and_the_clicked_one_is_due_first(work: Work) -> None:
    await put(work, request())
    async with work.write() as unit:
        await unit.consents.add_change(change())
        with pytest.raises(Conflict, match="being changed already"):
            await unit.consents.add_change(change(id="c2"))
        bulk = replace(change("ben", id="a0", of=None), clicked=False, not_before=NOW - HOUR)
        await unit.consents.add_change(bulk)
        await unit.commit()

    async with work.read() as unit:
        assert [one.id for one in await unit.consents.due_changes(NOW, limit=9)] == ["c1", "a0"]
        assert await unit.consents.started_since(NOW - HOUR, PROGRAM.id, ChangeWhy.CONSENT) == 2
    async with work.write() as unit:
        await unit.consents.save_change(change().done(Result.WITHDRAWN, NOW))
        await unit.consents.add_change(change(id="c2"))
        await unit.commit()
    async with work.read() as unit:
        assert await unit.consents.started_since(NOW - HOUR, PROGRAM.id, ChangeWhy.CONSENT) == 2
        changes = await unit.consents.changes_of([ConsentId("request-ada")])
        assert [one.id for one in changes[ConsentId("request-ada")]] == ["c1", "c2"]


async def test_what_is_due_is_found_and_the_next_instant_too(work: Work) -> None:
    asked = request()
    later = replace(request("ben", RequestState.LATER), due_at=None)
    with_manager = replace(request("cleo", RequestState.WITH_MANAGER), due_at=NOW + 2 * DAY)
    await put(work, asked, later, with_manager, request("dan", RequestState.WAITING))

    async with work.read() as unit:
        assert [one.person_id for one in await unit.consents.due_requests(NOW + 4 * DAY, limit=9)] == ["cleo", "ben"]
        assert await unit.consents.next_due(NOW + 2 * HOUR) == NOW + DAY  # the program's schedule
        assert [one.person_id for one in await unit.consents.waiting(limit=9)] == ["dan"]
        assert [one.person_id for one in await unit.consents.to_remind(after=None, limit=9)] == ["ada"]


async def test_requests_are_paged_newest_first_and_counted_by_state(work: Work) -> None:
    ended = replace(request("ben", RequestState.REMOVED), ended_at=NOW, approved_by=ApprovedBy.PROGRAM, asked_at=None)
    await put(work, request(), replace(ended, reason=None, found_at=NOW + HOUR))
    restore = replace(
        change("ben", id="c9", of="request-ben"),
        kind=ChangeKind.JOIN,
        why=ChangeWhy.RESTORE,
        state=ChangeState.DONE,
        result=Result.THERE,
    )
    async with work.write() as unit:
        await unit.consents.add_change(restore)
        await unit.commit()

    async with work.read() as unit:
        rows, total = await unit.consents.page(PROGRAM.id, None, offset=0, limit=1)
        assert ([one.person_id for one in rows], total) == (["ben"], 2)
        rows, total = await unit.consents.page(PROGRAM.id, [RequestState.ASKED], offset=0, limit=9)
        assert ([one.person_id for one in rows], total) == (["ada"], 1)
        figures = await unit.consents.figures(PROGRAM.id)
    assert dict(figures) == {
        Place(state=RequestState.ASKED, asked=True, reason="later", approved_by=ApprovedBy.MANAGER, restored=False): 1,
        Place(state=RequestState.REMOVED, asked=False, reason=None, approved_by=ApprovedBy.PROGRAM, restored=True): 1,
    }


async def test_appeals_of_a_program_come_in_the_order_in_which_they_were_made(work: Work) -> None:
    await put(work, request(), request("ben"))
    appeals = [
        ConsentAppeal(
            request_id=request(ref).id,
            program_id=PROGRAM.id,
            person_id=PersonId(ref),
            text="I need it.",
            asked_at=at,
            decider_id=PersonId("megan"),
            due_at=at + HOUR,
        )
        for ref, at in (("ada", NOW + HOUR), ("ben", NOW))
    ]
    async with work.write() as unit:
        for one in appeals:
            await unit.consents.add_appeal(one)
        await unit.commit()

    async with work.read() as unit:
        assert await unit.consents.appeals_of(PROGRAM.id) == appeals[::-1]
        assert await unit.consents.appeals_of(ProgramId("another")) == []


async def test_who_waits_comes_in_turn_and_may_wait_again(work: Work) -> None:
    first = Waiter(product_id=VISIO, person_id=PersonId("ada"), since=NOW, asked_by=PersonId("lynne"))
    second = replace(first, person_id=PersonId("ben"), since=NOW + HOUR)
    async with work.write() as unit:
        for one in (second, first):
            await unit.consents.wait(one)
        with pytest.raises(Conflict, match="on the waiting list already"):
            await unit.consents.wait(first)
        await unit.consents.save_waiter(first.to(WaitState.TOLD, NOW))
        await unit.commit()

    async with work.read() as unit:
        assert [one.person_id for one in await unit.consents.waiters(VISIO, limit=9)] == ["ben"]
    async with work.write() as unit:
        await unit.consents.wait(replace(first, since=NOW + DAY, version=3))
        await unit.commit()
    async with work.read() as unit:
        assert [one.person_id for one in await unit.consents.waiters(VISIO, limit=9)] == ["ben", "ada"]
