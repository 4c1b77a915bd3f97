"""The whole way over the real services and SQLite, by typing and by pressing only what stands on the cards."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.guard import Rate, StoredRequests
from bot.inbound import Action, Command, Reply
from bot.people import SyncedPeople
from bot.router import Router
from bot.services import Services
from cards import text as terminal
from cards.notices import render_notice
from cards.report import HtmlDocuments
from cards.view import CardView, Expandable, Input
from reclaim.domain.campaign import CampaignState, WriteMode
from reclaim.domain.ids import PersonId
from reclaim.domain.notices import (
    AppealNotice,
    ConsentAppealNotice,
    ConsentReceiptNotice,
    LaunchAskedNotice,
    Notice,
    ReceiptNotice,
    WaveNotice,
)
from reclaim.domain.removal import Outcome
from reclaim.services.access import Access
from reclaim.services.choose_seats import ChooseSeats
from reclaim.services.exclude_seats import ExcludeSeats
from reclaim.services.explain_seat import ExplainSeat
from reclaim.services.export_evidence import ExportEvidence
from reclaim.services.follow_lists import FollowLists
from reclaim.services.import_absences import ImportAbsences
from reclaim.services.keep_prices import KeepPrices
from reclaim.services.load_prices import LoadPrices
from reclaim.services.read_history import ReadHistory
from reclaim.services.read_report import ReadReport
from reclaim.services.read_seats import ReadSeats
from reclaim.services.read_spend import ReadSpend
from reclaim.services.read_summary import ReadSummary
from reclaim.services.run_checks import RunChecks
from tests.databases import copy_sqlite
from tests.fakes import FakeTenantChecks
from tests.golden.cards.test_cards_rules import actions
from tests.services.campaign_world import HOUR, NORA, POLICY, ROSA, CampaignWorld
from tests.services.consent_world import member, open_program, run
from tests.services.world import ALLAN, LYNNE, MEGAN
from tests.unit.bot.test_start_path import boxes, only


class Chat:
    """People at their chats: `see` is the card that each looks at."""

    def __init__(self, world: CampaignWorld) -> None:
        self.world = world
        self.see: dict[PersonId, CardView] = {}
        self.keys = 0
        self.router = Router(
            services(world),
            seen=StoredRequests(work=world.work, clock=world.clock),
            rate=Rate(monotonic=lambda: 0.0, burst=1000),
        )

    async def type(self, person: PersonId, text: str) -> Reply:
        self.keys += 1
        reply = await self.router.command(Command(person_id=person, channel="web", text=text, key=f"c{self.keys}"))
        await self._look(person, reply)
        return reply

    async def press(self, person: PersonId, verb: str, **fields: str) -> Reply:
        """Press a button of the card that the person sees, with its boxes as they stand and these fields."""
        card = self.see[person]
        action = next(one for one in actions(card) if one.verb == verb)
        ticked = {name: str(on).lower() for name, on in boxes(card).items()}
        self.keys += 1
        reply = await self.router.action(
            Action(
                person_id=person,
                channel="web",
                verb=verb,
                ref=action.ref,
                batch=action.batch,
                inputs={**ticked, **fields},
                key=f"a{self.keys}",
            )
        )
        await self._look(person, reply)
        return reply

    def receives(self, person: PersonId) -> WaveNotice:
        """Look at the newest list that reached the person."""
        notice = self.world.cards(person)[-1]
        self.see[person] = render_notice(notice, "UTC")
        return notice

    async def _look(self, person: PersonId, reply: Reply) -> None:
        for card in (*([reply.replace] if reply.replace else []), *reply.cards):
            self.see[person] = card
        await self.world.settle()


def is_told(chat: Chat, person: PersonId, kind: type[Notice]) -> None:
    """Let the person look at the newest message of this kind that reached them."""
    notice = [one for one in chat.world.messenger.to(person) if isinstance(one, kind)][-1]
    chat.see[person] = render_notice(notice, "UTC")


def services(world: CampaignWorld) -> Services:
    work, clock, tokens, policy = world.work, world.clock, world.tokens, world.policy

    async def zone_of(_: PersonId) -> str:
        return "UTC"

    return Services(
        access=Access(work=work, policy=policy),
        sync_directory=world.syncing,
        read_spend=ReadSpend(work=work, clock=clock, policy=policy),
        exclude_seats=ExcludeSeats(work=work, clock=clock, tokens=tokens, policy=policy, directory=world.directory),
        import_absences=ImportAbsences(
            work=work,
            clock=clock,
            tokens=tokens,
            policy=policy,
            lists=FollowLists(work=work, clock=clock, tokens=tokens, policy=policy),
        ),
        manual_tasks=world.tasks,
        run_checks=RunChecks(
            work=work,
            clock=clock,
            policy=policy,
            access=Access(work=work, policy=policy),
            checks=FakeTenantChecks(),
            backlog=world.engine,
            channels=(),
        ),
        keep_prices=KeepPrices(work=work, clock=clock, tokens=tokens, policy=policy),
        load_prices=LoadPrices(work=work, clock=clock, tokens=tokens),
        read_seats=ReadSeats(work=work, clock=clock, policy=policy),
        start_campaign=world.launching,
        choose_seats=ChooseSeats(work=work),
        confirm_launch=world.confirming,
        read_wave=world.waves,
        record_decision=world.decisions,
        delegate_item=world.delegation,
        reassign_items=world.reassigning,
        steer_campaign=world.steering,
        nudge_reviewers=world.nudging,
        name_owner=world.owning,
        close_campaign=world.closing,
        freeze_writes=world.freezing,
        restore_seats=world.restores,
        read_consent=world.consent.read,
        answer_consent=world.consent.answer,
        appeal_consent=world.consent.appeals,
        keep_programs=world.consent.programs,
        run_consent=world.consent.run,
        export_consent=world.consent.export,
        appeal_removals=world.appeals,
        read_status=world.statuses,
        read_summary=ReadSummary(work=work, clock=clock, policy=policy),
        explain_seat=ExplainSeat(work=work, clock=clock, policy=policy),
        read_history=ReadHistory(work=work, clock=clock, policy=policy),
        export_evidence=ExportEvidence(
            work=work, clock=clock, tokens=tokens, policy=policy, report=ReadReport(documents=HtmlDocuments())
        ),
        people=SyncedPeople(work=work),
        messenger=world.messenger,
        clock=clock,
        tokens=tokens,
        policy=policy,
        zone_of=zone_of,
    )


@pytest.fixture
async def chat(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Chat]:
    rules = replace(POLICY, admins=frozenset({ALLAN}), license_managers=frozenset({LYNNE}), writes=WriteMode.LIVE)
    world = CampaignWorld(copy_sqlite(sqlite_template, tmp_path), policy=rules)
    for ref in ("ada", "ben", "cleo", "dora"):
        world.hire(ref)
    await world.start()
    await world.sync()
    yield Chat(world)
    await world.stop()


async def start(chat: Chat) -> None:
    await chat.type(ALLAN, "spend")
    await chat.press(ALLAN, "spend.seats")
    await chat.press(ALLAN, "seats.take_all")
    await chat.press(ALLAN, "seats.reclaim")
    form = {"name": "Visio review", "until": "2026-12-04", "strategy": "manager", "silence": "keep", "fallback": LYNNE}
    await chat.press(ALLAN, "start.preview", **form)
    assert chat.see[ALLAN].kind == "campaign.preview"
    await chat.press(ALLAN, "start.launch")
    [running] = (await chat.world.statuses.campaigns()).rows
    chat.world.campaign_id = running.campaign_id


async def test_from_a_simulation_to_a_start_that_a_second_admin_confirms(chat: Chat) -> None:
    chat.world.policy = replace(
        chat.world.policy,
        admins=frozenset({ALLAN, ROSA}),
        limits=replace(chat.world.policy.limits, soft_seats=2),
    )
    await chat.world.stop()
    await chat.world.start()
    chat = Chat(chat.world)

    await chat.type(ALLAN, "simulate Visio --preset broad --sku VISIOCLIENT --department sales")
    assert chat.see[ALLAN].kind == "campaign.simulation"
    await chat.press(ALLAN, "start.seats")
    assert chat.see[ALLAN].headline.title == "4 seats to ask about"
    await chat.press(ALLAN, "start.show")
    await chat.press(ALLAN, "start.simulated")
    form = {
        part.id: part.value
        for element in chat.see[ALLAN].body
        for part in (element.content if isinstance(element, Expandable) else (element,))
        if isinstance(part, Input)
    }
    assert (form["name"], form["days"], form["department"], form["sku.sku-visio"]) == ("Visio", "90", "Sales", "true")
    refused = await chat.press(ALLAN, "start.preview", **{**form, "listed": "nobody"})
    assert refused.toast is not None
    assert refused.toast.startswith("Line 1, person: nobody in the tenant is “nobody”.")
    await chat.press(ALLAN, "start.preview", **{**form, "fallback": LYNNE})
    await chat.press(ALLAN, "start.ask")
    assert chat.see[ALLAN].kind == "campaign.asked"

    asked = next(one for one in chat.world.messenger.to(ROSA) if isinstance(one, LaunchAskedNotice))
    chat.see[ROSA] = render_notice(asked, "UTC")
    await chat.press(ROSA, "launch.confirm")

    assert chat.see[ROSA].kind == "launch.settled"
    told = [one.request.state for one in chat.world.messenger.to(ALLAN) if isinstance(one, LaunchAskedNotice)]
    assert told == ["asked", "confirmed"]
    [running] = (await chat.world.statuses.campaigns()).rows
    assert (running.name, running.state, running.items) == ("Visio", "open", 4)


async def test_from_the_money_to_the_proof(chat: Chat) -> None:
    await start(chat)
    assert chat.receives(MEGAN).wave.open_count == 4

    await chat.press(MEGAN, "item.open")
    await chat.press(MEGAN, "item.keep")
    missing = await chat.press(MEGAN, "item.keep.submit")
    assert missing.toast == "Please pick a reason."
    await chat.press(MEGAN, "item.keep.submit", reason="current_work")
    assert chat.see[MEGAN].kind == "review.item"
    await chat.press(MEGAN, "wave.open")
    await chat.press(MEGAN, "wave.revoke")
    assert chat.see[MEGAN].headline.title == "All 4 answered"
    await chat.press(MEGAN, "batch.undo")
    assert chat.see[MEGAN].headline.title == "3 seats left"
    await chat.press(MEGAN, "wave.revoke")
    await chat.world.close()

    assert sorted(str(one) for one in (await chat.world.outcomes()).values()) == [
        "kept",
        "removed",
        "removed",
        "removed",
    ]
    await chat.type(ALLAN, "status")
    assert chat.see[ALLAN].kind == "campaign.closed"
    await chat.press(ALLAN, "campaign.reviewers")
    assert chat.see[ALLAN].kind == "campaign.reviewers"
    await chat.press(ALLAN, "status.open")
    (report,) = (await chat.press(ALLAN, "report.get")).files
    assert (report.name.rpartition(".")[2], report.media_type) == ("html", "text/html")
    assert (await chat.type(ALLAN, "status --by-reviewer")).cards[0].kind == "campaign.reviewers"
    await chat.type(ALLAN, "status")
    evidence = await chat.press(ALLAN, "export.get")
    assert [file.name.rpartition(".")[2] for file in evidence.files] == ["csv", "json", "html"]
    for text in ("why ada", "history", "seats mine", "campaigns", "campaign visio", "help"):
        assert not (await chat.type(ALLAN, text)).error, text


async def test_delegate_take_back_and_a_click_on_what_is_no_longer_mine(chat: Chat) -> None:
    await start(chat)
    chat.receives(MEGAN)
    await chat.press(MEGAN, "wave.delegate")
    await chat.press(MEGAN, "wave.delegate.submit", who=NORA, reason="Leads the project")
    assert chat.see[MEGAN].headline.title == "Nothing left for you"
    chat.receives(NORA)
    await chat.press(NORA, "item.open")

    await chat.press(MEGAN, "wave.show")
    await chat.press(MEGAN, "item.open")
    await chat.press(MEGAN, "item.take_back")
    late = await chat.press(NORA, "item.revoke")

    assert late.error
    assert only(replace(late, cards=())).actions == ()
    await chat.press(MEGAN, "item.revoke")
    revoked = [item for item in await chat.world.items() if item.answer is not None]
    assert [item.answer.by for item in revoked if item.answer] == [MEGAN]


async def test_a_holder_appeals_and_the_manager_answers_on_the_cards_they_got(chat: Chat) -> None:
    await start(chat)
    chat.receives(MEGAN)
    await chat.press(MEGAN, "wave.revoke")
    await chat.world.close()
    await chat.world.wait(2 * HOUR)
    ada, ben = PersonId("ada"), PersonId("ben")
    chat.world.change(ada, usage_location="CH")
    for holder in (ada, ben):
        is_told(chat, holder, ReceiptNotice)
        await chat.press(holder, "receipt.appeal")
        refused = await chat.press(holder, "receipt.appeal.submit", text=" ")
        assert (refused.error, chat.see[holder].kind) == (True, "consent.appeal")
        await chat.press(holder, "receipt.appeal.submit", text="I draw the plant every spring.")
        assert "Sent to Megan" in terminal.render(chat.see[holder])

    asked = [one for one in chat.world.messenger.to(MEGAN) if isinstance(one, AppealNotice)]
    for notice in asked:
        chat.see[MEGAN] = render_notice(notice, "UTC")
        if notice.appeal.item.person_id == ada:
            await chat.press(MEGAN, "appeal.give")
        else:
            await chat.press(MEGAN, "appeal.leave")
            await chat.press(MEGAN, "appeal.leave.submit", reason="The project has ended.")

    assert (chat.world.holds("ada"), chat.world.holds("ben")) == (True, False)
    is_told(chat, ben, ReceiptNotice)
    assert "The project has ended." in terminal.render(chat.see[ben])
    assert "receipt.appeal" not in {action.verb for action in chat.see[ben].actions}


async def test_who_leaves_an_application_removed_may_say_why_and_the_holder_reads_all_of_it(chat: Chat) -> None:
    member(chat.world, "eve")
    program = await open_program(chat.world, ask=False)
    await run(chat.world, program)
    eve = PersonId("eve")
    is_told(chat, eve, ConsentReceiptNotice)
    await chat.press(eve, "consent.appeal")
    await chat.press(eve, "consent.appeal.submit", text="I need it.")
    is_told(chat, MEGAN, ConsentAppealNotice)

    await chat.press(MEGAN, "consent.leave")
    refused = await chat.press(MEGAN, "consent.leave.submit", reason="x" * 501)
    assert (refused.error, refused.toast) == (True, "Please use at most 500 characters.")
    await chat.press(MEGAN, "consent.leave.submit", reason="The plans are drawn elsewhere.")

    assert "You left it removed." in terminal.render(chat.see[MEGAN])
    is_told(chat, eve, ConsentReceiptNotice)
    assert "The plans are drawn elsewhere." in terminal.render(chat.see[eve])
    shown = await chat.type(ALLAN, "consent status Miro")
    assert "Where this person stands" in terminal.render(only(shown))
    handed = await chat.type(ALLAN, "consent export Miro --run 1")
    assert [file.name for file in handed.files][-1] == "report-miro-run-1.html"


async def test_freeze_stops_and_a_second_admin_lets_go_on(chat: Chat) -> None:
    await start(chat)
    chat.receives(MEGAN)
    await chat.press(MEGAN, "wave.revoke")
    await chat.type(LYNNE, 'freeze --reason "Wrong seats"')
    await chat.world.close()
    assert await chat.world.state() is CampaignState.PAUSED

    await chat.type(LYNNE, "resume --reason checked")
    assert chat.see[LYNNE].kind == "not_authorized"
    await chat.type(ALLAN, "resume --reason checked")

    assert chat.see[ALLAN].kind == "freeze"
    assert Outcome.REMOVED not in (await chat.world.outcomes()).values()


async def test_close_early_tells_first(chat: Chat) -> None:
    await start(chat)
    chat.receives(MEGAN)

    await chat.type(LYNNE, "close")
    await chat.press(LYNNE, "close.early.submit")

    assert chat.see[LYNNE].kind == "campaign.status"
    assert chat.receives(MEGAN).wave.closes_at == chat.world.clock.now() + POLICY.close_grace
