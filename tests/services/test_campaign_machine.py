"""Campaigns under any order of events: what must never happen does not, whatever people, clock, tenant and chat do.

Each invariant is named after the rule of DESIGN section 3 that it holds. What is predicted comes from `campaign_model`;
the books are audited besides. A new thing that people can do is a new `@rule` here and, where it moves or answers a seat, a
pair of `may_…` and act in the model.

To look for new examples: pytest --hypothesis-profile=default; to look for long, raise the numbers at the end.
"""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import ClassVar, TypeVar
from unittest import mock

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from reclaim.domain.campaign import CampaignState, Limits, Silence, Strategy, WriteMode
from reclaim.domain.exclusions import ExclusionKind
from reclaim.domain.ids import BatchId, GroupId, ItemId, PersonId, ProductId
from reclaim.domain.notices import ListGoneNotice, WaveNotice
from reclaim.domain.removal import Outcome
from reclaim.domain.restore import AskedHow, Restore, RestoreKind, RestoreState, Returned, Reversal
from reclaim.domain.review import Choice, KeepReason
from reclaim.errors import (
    Conflict,
    DeliveryError,
    DirectoryError,
    InvalidRequest,
    NotAuthorized,
    NotFound,
    PortError,
    WriteBackError,
)
from reclaim.services import close_campaign, start_campaign
from reclaim.services.exclude_seats import ExcludeSeats
from reclaim.services.jobs import EXCLUDE
from tests.databases import copy_sqlite, migrate_sqlite_template
from tests.fakes import Killed
from tests.services.campaign_model import (
    CAST,
    DISABLED,
    DYNAMIC_GROUP,
    OWNER_GROUP,
    OWNERS,
    Asked,
    Brake,
    Key,
    Label,
    Review,
)
from tests.services.campaign_world import DAY, E5, HOUR, NORA, POLICY, ROSA, Call, CampaignWorld, actor, check
from tests.services.world import ALLAN, E3, LYNNE, MEGAN, VISIO, VISIO_GROUP, draft, group, seat

REVIEWERS = (MEGAN, NORA, ALLAN)
ADMINS = (LYNNE, ROSA)
SEATS: tuple[Key, ...] = tuple((holder, given.product) for holder, seats in CAST.items() for given in seats)
REFUSALS = (Conflict, NotAuthorized, InvalidRequest, NotFound)
OVER = (CampaignState.CLOSED, CampaignState.CANCELLED)
LOST = WriteBackError("The answer was lost.", maybe_applied=True, status=500)
DOWN = DirectoryError("Microsoft Graph cannot be reached.", status=503)
CHAT_DOWN = DeliveryError("The chat is busy.")
# Which of the two writes cannot be made then; where no seat is free, neither.
HINDERS = {"nowhere": RestoreKind.ASSIGN_DIRECT, "group gone": RestoreKind.JOIN_GROUP}
Result = TypeVar("Result")


class PatientWorld(CampaignWorld):
    """Where a job fails because the outside did, the next tick goes on. Seats are excluded here too."""

    async def start(self) -> None:
        await super().start()
        self.excluding = ExcludeSeats(
            work=self.work, clock=self.clock, tokens=self.tokens, policy=self.policy, directory=self.directory
        )
        self.engine.register(EXCLUDE, self.excluding.handle)

    async def settle(self) -> None:
        for _ in range(30):
            with suppress(PortError):
                await self.engine.drain()
            await self.due.tick()
            if not self.engine.queued:
                return
        raise AssertionError(f"never idle: {[job.key for job in self.engine.queued]}")


class Campaigns(RuleBasedStateMachine):
    """Up to two campaigns, one after or beside the other, in a small tenant with a seat of every kind."""

    template: ClassVar[Path | None] = None

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        if Campaigns.template is None:
            Campaigns.template = migrate_sqlite_template(Path(tempfile.mkdtemp()))
        self.small = [mock.patch.object(module, "CHUNK", 2) for module in (start_campaign, close_campaign)]
        for patch in self.small:
            patch.start()
        self.world = PatientWorld(copy_sqlite(Campaigns.template, Path(self.folder.name)))
        self.reviews: list[Review] = []
        self.strategies: list[Strategy] = []
        self.brake = Brake()
        self.clicks: list[tuple[Review, BatchId]] = []
        # What happened to a seat from outside, and how many writes had been made by then.
        self.used_again: dict[Key, int] = {}
        self.signed_in: dict[str, int] = {}
        self.touched: set[Key] = set()
        self.excluded: dict[str, int] = {}
        self.troubled = False
        self.lost_sight: set[str] = set()
        self.dry_from: int | None = None
        self.judged = 0
        self.ended: dict[ItemId, Outcome] = {}
        self.appealed: set[ItemId] = set()

    def run(self, call: Awaitable[Result]) -> Result:
        return self.loop.run_until_complete(call)

    def teardown(self) -> None:
        try:
            if self.reviews:
                self.let_everything_end()
        finally:
            self.run(self.world.stop())
            self.loop.run_until_complete(self.loop.shutdown_default_executor())
            self.loop.close()
            self.folder.cleanup()
            for patch in self.small:
                patch.stop()

    @initialize(
        cast=st.sets(st.sampled_from(tuple(CAST)), min_size=2, max_size=5),
        silence=st.sampled_from(Silence),
        dry_run=st.booleans(),
        live_reads=st.sampled_from((10, 10, 1)),
        an_hour=st.sampled_from((500, 500, 1)),
        strategy=st.sampled_from(Strategy),
    )
    def begin(
        self, cast: set[str], silence: Silence, dry_run: bool, live_reads: int, an_hour: int, strategy: Strategy
    ) -> None:
        world = self.world
        self.cast = sorted(cast)
        self.live_reads, self.an_hour = live_reads, an_hour
        world.policy = replace(POLICY, live_reads=live_reads, limits=Limits(hard_per_hour=an_hour))
        world.directory.group_facts[DYNAMIC_GROUP] = group(DYNAMIC_GROUP, VISIO, dynamic=True)
        world.directory.group_facts[OWNER_GROUP] = group(OWNER_GROUP)
        world.directory.members[OWNER_GROUP] = list(OWNERS)
        for holder in self.cast:
            world.hire(
                holder,
                *(seat(holder, given.product, *given.groups) for given in CAST[holder]),
                enabled=holder != DISABLED,
            )
            world.change(holder, usage_location="CH")
        world.writer.group_delay = 3 * HOUR
        self.run(world.start())
        self.run(world.sync())
        self.run(world.owns(OWNER_GROUP, group=True))
        self.launch(silence, dry_run and silence is Silence.KEEP, strategy)

    # Admins -----------------------------------------------------------------------------------------------------------
    @rule(silence=st.sampled_from(Silence), dry_run=st.booleans(), strategy=st.sampled_from(Strategy))
    @precondition(lambda self: len(self.reviews) == 1)
    def launch(self, silence: Silence, dry_run: bool, strategy: Strategy) -> None:
        """Sync and launch; whether the campaign is open by then is left to the engine."""
        world = self.world
        self.run(world.sync())
        ref = f"draft-{len(self.reviews) + 1}"
        form = replace(
            draft(
                ref,
                mode=WriteMode.DRY_RUN if dry_run else WriteMode.LIVE,
                strategy=strategy,
                reviewer=NORA if strategy is Strategy.PERSON else None,
                name=f"Review {ref}",
                due=(world.clock.now() + 11 * DAY).date(),
            ),
            silence=silence,
        )
        with suppress(*REFUSALS):
            self.run(world.launching.put_draft(actor(LYNNE), form))
            world.campaign_id = self.run(world.launching.launch(actor(LYNNE), ref)).id
            installed_dry = world.policy.writes is WriteMode.DRY_RUN
            self.strategies.append(strategy)
            self.reviews.append(Review(world.campaign_id, silence, dry_run or installed_dry))

    @rule(which=st.integers(0, 1))
    def close_early(self, which: int) -> None:
        with suppress(Conflict):
            self.run(self.world.closing.early(actor(LYNNE), self.review(which).id))

    @rule(which=st.integers(0, 1), days=st.integers(1, 20))
    def extend(self, which: int, days: int) -> None:
        day = (self.world.clock.now() + days * DAY).date()
        self.accepted(self.world.steering.extend(actor(LYNNE), self.review(which).id, day))

    @rule(which=st.integers(0, 1), sure=st.integers(0, 3))
    def cancel(self, which: int, sure: int) -> None:
        review = self.review(which)
        if sure == 3:
            before = self.state(review)
            accepted = self.accepted(self.world.steering.cancel(actor(LYNNE), review.id, None))
            assert accepted is (before in (CampaignState.OPENING, CampaignState.OPEN))

    @rule(which=st.integers(0, 1))
    def nudge(self, which: int) -> None:
        self.accepted(self.world.nudging.nudge(actor(LYNNE), self.review(which).id))

    @rule(which=st.integers(0, 1), holder=st.sampled_from(tuple(CAST)), to=st.sampled_from((*REVIEWERS, ROSA)))
    def reassign(self, which: int, holder: str, to: str) -> None:
        """An admin moves all open seats of a holder."""
        review = self.review(which)
        if not self.present(holder):
            return
        movable = [one for one in self.open_ones(which) if one.holder == holder and one.may_be_moved(to)]
        call = self.world.reassigning.of_holder(actor(LYNNE), review.id, holder, to)
        if (accepted := self.accepted(call)) is not bool(movable):
            assert not accepted, (movable, to)
            assert to in self.lost_sight, (movable, to)
            return
        for asked in movable:
            asked.move(to)

    @rule(by=st.sampled_from(ADMINS))
    def freeze(self, by: PersonId) -> None:
        accepted = self.accepted(self.world.freezing.freeze(actor(by), "something is wrong"))
        assert accepted is not self.brake.frozen
        self.brake = Brake(frozen=True, asked_by=self.brake.asked_by if self.brake.frozen else None)

    @rule(by=st.sampled_from(ADMINS))
    def ask_to_resume(self, by: PersonId) -> None:
        assert self.accepted(self.world.freezing.ask_resume(actor(by), "all is well again")) is self.brake.frozen
        if self.brake.frozen:
            self.brake.asked_by = by

    @rule(by=st.sampled_from((*ADMINS, MEGAN)))
    def confirm_the_resume(self, by: PersonId) -> None:
        ref = self.run(self.world.freezing.view()).resume_ref or "nothing was asked"
        accepted = self.accepted(self.world.freezing.confirm_resume(actor(by), ref))
        assert accepted is self.brake.may_resume(by, ADMINS)
        if accepted:
            self.brake = Brake()

    @rule(
        holder=st.sampled_from(tuple(CAST)),
        kind=st.sampled_from((ExclusionKind.PERSON, ExclusionKind.NAME, ExclusionKind.GROUP)),
    )
    def exclude(self, holder: str, kind: ExclusionKind) -> None:
        """An admin excludes a person from campaigns, for good, also from one that is open, in one of several ways."""
        world = self.world
        if not self.present(holder) or holder in self.excluded:
            return
        names = {ExclusionKind.NAME: f"{holder}@*", ExclusionKind.GROUP: f"Group held-{holder}"}
        if kind is ExclusionKind.GROUP:
            held = GroupId(f"held-{holder}")
            world.directory.group_facts[held] = group(held)
            world.directory.members[held] = [PersonId(holder)]
        if self.accepted(world.excluding.add(actor(LYNNE), kind, names.get(kind, holder), reason="Legal hold")):
            self.excluded[holder] = len(world.writer.writes)
            self.touched |= set(self.seats_of(holder))

    @rule(which=st.integers(0, 1))
    def retry(self, which: int) -> None:
        self.accepted(self.world.closing.retry(actor(LYNNE), self.review(which).id))

    @rule(which=st.integers(0, 1))
    def abandon(self, which: int) -> None:
        if self.accepted(self.world.closing.abandon(actor(LYNNE), self.review(which).id)):
            self.review(which).is_abandoned = True

    @rule(live=st.booleans())
    def change_the_installation(self, live: bool) -> None:
        """The setting is changed and the process started again."""
        writes = WriteMode.LIVE if live else WriteMode.DRY_RUN
        self.run(self.world.restart(replace(self.world.policy, writes=writes)))
        self.troubled = True
        self.dry_from = None if live else len(self.world.writer.writes)

    # The way back -----------------------------------------------------------------------------------------------------
    @rule(
        which=st.integers(0, 1),
        key=st.sampled_from(SEATS),
        how=st.sampled_from(("undo", "receipt", "appeal", "stranger")),
        trouble=st.sampled_from((None, None, "full", "nowhere", "group gone")),
    )
    def give_it_back(self, which: int, key: Key, how: str, trouble: str | None) -> None:
        """A removed seat is asked back, often where Microsoft could not give it; seats that nobody took are asked for too."""
        review, world = self.review(which), self.world
        if key not in review.asked:
            return
        item = next(one for one in self.run(world.items(review.id)) if one.id == review.asked[key].id)
        restore, reversal = self.way_of(item.id)
        open_still = (
            item.outcome is Outcome.REMOVED
            and item.verified_at is not None
            and world.clock.now() <= item.verified_at + POLICY.undo_window
            and (restore is None or restore.state is RestoreState.FAILED)
            and (reversal is None or reversal.how is Returned.RESTORED)
        )
        live = world.policy.writes is WriteMode.LIVE
        absent = not world.holds(key[0], ProductId(key[1]))
        allowed = open_still and live and how != "stranger" and not (how == "appeal" and item.id in self.appealed)
        with self.where_it_cannot(key[0], trouble):
            accepted = self.accepted(self.ask_back(item.id, key[0], how))
            assert accepted is allowed, (item, restore, how)
            if how == "appeal" and open_still:
                self.appealed.add(item.id)
            if accepted:
                self.touched |= set(self.seats_of(key[0]))
                self.run(world.settle())
                after, _ = self.way_of(item.id)
                assert after is not None
                kinds = {step.kind for step in after.steps}
                hindered = trouble == "full" or HINDERS.get(trouble or "") in kinds
                assert not (absent and hindered and after.state is RestoreState.RESTORED), (trouble, after)

    @contextmanager
    def where_it_cannot(self, holder: str, trouble: str | None) -> Iterator[None]:
        """Let Microsoft be in a state for a while in which it gives no such seat."""
        directory = self.world.directory
        sold, facts, people = dict(directory.sold), dict(directory.group_facts), dict(directory.everybody)
        match trouble:
            case "full":
                directory.sold = {product: replace(one, consumed=one.enabled) for product, one in sold.items()}
            case "nowhere" if PersonId(holder) in people:
                self.world.change(holder, usage_location=None)
            case "group gone":
                directory.group_facts.pop(VISIO_GROUP)
        try:
            yield
        finally:
            directory.sold, directory.group_facts = sold, facts
            if PersonId(holder) in directory.everybody:
                self.world.change(holder, usage_location="CH")

    def way_of(self, item: ItemId) -> tuple[Restore | None, Reversal | None]:
        async def read() -> tuple[Restore | None, Reversal | None]:
            async with self.world.work.read() as work:
                found = await work.restores.of_items([item])
                back = await work.restores.reversals([item])
            return found.get(item), back.get(item)

        return self.run(read())

    def ask_back(self, item: ItemId, holder: str, how: str) -> Awaitable[object]:
        world = self.world
        match how:
            case "undo":
                return world.restores.undo(actor(LYNNE), item)
            case "receipt":
                return world.restores.get_back(actor(holder), item, AskedHow.RECEIPT)
            case "stranger":
                return world.restores.get_back(actor(MEGAN), item, AskedHow.RECEIPT)
            case _:
                return self.appeal(item, holder)

    async def appeal(self, item: ItemId, holder: str) -> None:
        await self.world.appeals.appeal(actor(holder), item, "I need it every spring.")
        async with self.world.work.read() as work:
            appeal = await work.appeals.get(item)
        assert appeal is not None
        assert appeal.reviewer_id != holder
        decider = appeal.reviewer_id or LYNNE
        for other in {MEGAN, NORA, ALLAN, ROSA, PersonId(holder)} - {decider}:
            if appeal.reviewer_id is not None or other not in ADMINS:
                with pytest.raises(NotAuthorized):
                    await self.world.appeals.grant(actor(other), item)
        await self.world.appeals.grant(actor(decider), item)

    # Reviewers --------------------------------------------------------------------------------------------------------
    @rule(
        which=st.integers(0, 1),
        key=st.sampled_from(SEATS),
        by=st.sampled_from((*REVIEWERS, "ada")),
        choice=st.sampled_from(Choice),
    )
    def answer(self, which: int, key: Key, by: str, choice: Choice) -> None:
        """One seat, by anybody; often by who may."""
        for asked in self.open_ones(which, key):
            self.answer_all(self.review(which), [asked], by, choice, bulk=False)

    @rule(which=st.integers(0, 1), key=st.sampled_from(SEATS), choice=st.sampled_from(Choice))
    def answer_as_asked(self, which: int, key: Key, choice: Choice) -> None:
        for asked in self.open_ones(which, key):
            by = ALLAN if asked.assignee == OWNER_GROUP else asked.assignee
            self.answer_all(self.review(which), [asked], by or MEGAN, choice, bulk=False)

    @rule(which=st.integers(0, 1), by=st.sampled_from(REVIEWERS), choice=st.sampled_from(Choice))
    def answer_in_bulk(self, which: int, by: str, choice: Choice) -> None:
        if several := self.open_ones(which):
            self.answer_all(self.review(which), several, by, choice, bulk=True)

    def answer_all(self, review: Review, several: list[Asked], by: str, choice: Choice, *, bulk: bool) -> None:
        world = self.world
        world.clicks += 1
        allowed = [asked for asked in several if asked.may_answer(by, choice)]
        call = world.decisions.decide(
            actor(by),
            [asked.id for asked in several],
            choice,
            idem_key=f"click-{world.clicks}",
            bulk=bulk,
            reason=KeepReason.CURRENT_WORK if choice is Choice.KEEP else None,
        )
        result, refusal = None, None
        try:
            result = self.run(call)
        except REFUSALS as error:
            refusal = error
        assert (result.done if result else 0) == len(allowed), (result or refusal, allowed)
        if result is None:
            return
        for asked in allowed:
            asked.answer(by, choice, result.batch_id)
        self.clicks.append((review, result.batch_id))

    @rule(number=st.integers(0, 5), by=st.sampled_from(REVIEWERS))
    @precondition(lambda self: self.clicks)
    def undo(self, number: int, by: str) -> None:
        """Take back a whole click; of that, what still stands and is with this person."""
        review, batch = self.clicks[-1 - number % len(self.clicks)]
        standing = [asked for asked in review.asked.values() if asked.batch == batch]
        allowed = [asked for asked in standing if asked.may_answer(by, Choice.WITHDRAWN)]
        if self.state(review) is not CampaignState.OPEN:
            allowed = []
        self.world.clicks += 1
        accepted = self.accepted(self.world.decisions.undo(actor(by), batch, idem_key=f"click-{self.world.clicks}"))
        assert accepted is bool(allowed), (standing, by)
        for asked in allowed:
            asked.answer(by, Choice.WITHDRAWN, "")

    @rule(
        which=st.integers(0, 1),
        key=st.sampled_from(SEATS),
        by=st.sampled_from((*REVIEWERS, None)),
        to=st.sampled_from((*REVIEWERS, "ada", LYNNE)),
    )
    def pass_on(self, which: int, key: Key, by: str | None, to: str) -> None:
        for asked in self.open_ones(which, key):
            self.world.clicks += 1
            who = by or (asked.assignee if asked.assignee != OWNER_GROUP else NORA) or MEGAN
            ask = self.world.delegation.delegate(
                actor(who), [asked.id], PersonId(to), "knows the team", idem_key=f"click-{self.world.clicks}"
            )
            there = to != "ada" or "ada" in self.cast
            may = asked.may_pass_on(who, to) and there
            if (accepted := self.accepted(ask)) is not may:
                # Whom the newest sync knows to be disabled or gone is not to be picked, whatever the tenant says by now.
                assert not accepted, (asked, who, to)
                assert to in self.lost_sight | {"ada"}, (asked, who, to)
                return
            if may:
                asked.pass_on(who, to)

    @rule(which=st.integers(0, 1), key=st.sampled_from(SEATS), by=st.sampled_from(REVIEWERS))
    def take_back(self, which: int, key: Key, by: str) -> None:
        for asked in self.open_ones(which, key):
            self.world.clicks += 1
            call = self.world.delegation.take_back(actor(by), asked.id, idem_key=f"click-{self.world.clicks}")
            may = asked.may_take_back(by)
            assert self.accepted(call) is may
            if may:
                asked.return_it()

    @rule(which=st.integers(0, 1), key=st.sampled_from(SEATS), by=st.sampled_from((*REVIEWERS, None)))
    def give_back(self, which: int, key: Key, by: str | None) -> None:
        for asked in self.open_ones(which, key):
            self.world.clicks += 1
            who = by or (asked.assignee if asked.assignee != OWNER_GROUP else NORA) or MEGAN
            call = self.world.delegation.give_back(actor(who), asked.id, idem_key=f"click-{self.world.clicks}")
            may = asked.may_give_back(who)
            if (accepted := self.accepted(call)) is not may:
                # It does not go back to somebody who cannot review any more.
                assert not accepted, (asked, who)
                assert asked.passed_on[-1][1] in self.lost_sight, (asked, who)
            elif may:
                asked.return_it()

    # The tenant -------------------------------------------------------------------------------------------------------
    @rule(key=st.sampled_from(SEATS))
    def sign_in(self, key: Key) -> None:
        holder = key[0]
        if self.present(holder):
            self.world.sign_in(holder)
            if holder != DISABLED:
                for mine in self.seats_of(holder):
                    self.use_again(mine)

    @rule(key=st.sampled_from(SEATS))
    def give_again(self, key: Key) -> None:
        holder, product = key
        if self.present(holder):
            self.world.give(holder, ProductId(product))
            self.use_again(key)

    @rule(key=st.sampled_from(SEATS))
    def take_away(self, key: Key) -> None:
        """An admin removes the direct assignment by hand."""
        holder, product = key
        if self.present(holder):
            self.world.directory.drop_path(PersonId(holder), ProductId(product), None)
            self.touched |= set(self.seats_of(holder))

    @rule(holder=st.sampled_from(tuple(CAST)))
    def leave(self, holder: str) -> None:
        if self.present(holder) and holder != NORA:
            self.world.directory.remove(PersonId(holder))
            self.touched |= set(self.seats_of(holder))

    @rule(who=st.sampled_from(tuple(CAST)), enabled=st.booleans())
    def block_or_unblock(self, who: str, enabled: bool) -> None:
        if not self.present(who) or (who == NORA and Strategy.OWNER in self.strategies):
            return
        self.world.change(who, enabled=enabled)
        self.touched |= set(self.seats_of(who))
        if not enabled:
            self.lost_sight.add(who)
        elif who == DISABLED:
            self.use_again((DISABLED, VISIO))

    @rule(holder=st.sampled_from(tuple(CAST)), manager=st.sampled_from((MEGAN, NORA, None)))
    def change_manager(self, holder: str, manager: str | None) -> None:
        if self.present(holder):
            self.world.change(holder, manager_id=manager)

    def use_again(self, key: Key) -> None:
        self.used_again[key] = len(self.world.writer.writes)
        self.touched.add(key)

    # What goes wrong --------------------------------------------------------------------------------------------------
    @rule(
        key=st.sampled_from(SEATS),
        what=st.sampled_from(("busy", "refused", "lost", "unread", "unlooked", "unsynced")),
    )
    def let_microsoft_fail(self, key: Key, what: str) -> None:
        writer, directory = self.world.writer, self.world.directory
        refs = [(key[0], key[1]), (key[0], VISIO_GROUP)]
        self.troubled = True
        match what:
            case "busy":
                writer.busy ^= set(refs)
            case "refused":
                writer.refused ^= set(refs)
            case "lost":
                writer.fail("remove_direct", LOST)
                writer.fail("leave_group", LOST)
            case "unread":
                writer.fail("read_back", DOWN)
            case "unlooked":
                directory.fail("live_person", DOWN)
            case "unsynced":
                directory.fail("people", DOWN)

    @rule(who=st.sampled_from(REVIEWERS))
    def lose_or_find(self, who: PersonId) -> None:
        self.world.messenger.unreachable ^= {who}
        self.lost_sight.add(f"chat {who}")

    @rule()
    def let_the_chat_fail(self) -> None:
        self.world.messenger.fail(CHAT_DOWN)
        self.lost_sight |= {f"chat {who}" for who in REVIEWERS}

    @rule(points=st.integers(1, 60), hours=st.sampled_from((0, 1, 30, 300)))
    def die_on_the_way(self, points: int, hours: int) -> None:
        """The process is killed at some commit, call or read, and starts again."""
        fate = self.world.fate
        fate.die_at = len(fate.passed) + points
        try:
            self.run(self.world.wait(hours * HOUR))
        except Killed:
            self.run(self.world.restart())
        finally:
            fate.die_at = None

    # Time -------------------------------------------------------------------------------------------------------------
    @rule()
    def tick(self) -> None:
        self.run(self.world.settle())

    @rule()
    def sync(self) -> None:
        self.run(self.world.sync())

    @rule(hours=st.sampled_from((1, 5, 26, 150, 300)))
    def wait(self, hours: int) -> None:
        self.run(self.world.wait(timedelta(hours=hours)))

    @rule(which=st.integers(0, 1))
    def wait_for_the_close(self, which: int) -> None:
        campaign = self.run(self.world.campaign(self.review(which).id))
        if campaign.state is CampaignState.OPEN:
            self.run(self.world.until(max(campaign.may_close_at, self.world.clock.now())))

    @rule(hours=st.sampled_from((3, 40, 400)))
    def sleep_through(self, hours: int) -> None:
        """The process is down; then it starts again."""
        self.world.clock.advance(timedelta(hours=hours))
        self.run(self.world.restart())
        self.run(self.world.settle())

    # What the model knows of the product ------------------------------------------------------------------------------
    def review(self, which: int) -> Review:
        return self.reviews[which % len(self.reviews)]

    def state(self, review: Review) -> CampaignState:
        return self.run(self.world.campaign(review.id)).state

    def open_ones(self, which: int, key: Key | None = None) -> list[Asked]:
        """Return the seats of an open campaign, all or one."""
        review = self.review(which)
        self.meet_new_items(review)
        if self.state(review) is not CampaignState.OPEN:
            return []
        return [asked for asked in review.asked.values() if key in (None, asked.key)]

    def accepted(self, call: Awaitable[object]) -> bool:
        try:
            self.run(call)
        except REFUSALS:
            return False
        return True

    def seats_of(self, holder: str) -> list[Key]:
        return [key for key in SEATS if key[0] == holder]

    def present(self, holder: str) -> bool:
        return PersonId(holder) in self.world.directory.everybody and holder in self.cast

    def lists(self, review: Review) -> Iterator[tuple[str, WaveNotice]]:
        """Every list that reached somebody while the campaign was open."""
        for sent in self.world.messenger.sent:
            notice = sent.notice
            if not isinstance(notice, WaveNotice) or notice.wave.campaign_id != review.id:
                continue
            if notice.wave.campaign_state is CampaignState.OPEN:
                yield sent.person, notice

    def was_shown(self, review: Review, asked: Asked) -> bool:
        return any(
            asked.is_with(who) and asked.id in {row.item.id for row in (*notice.wave.open_rows, *notice.wave.answered)}
            for who, notice in self.lists(review)
        )

    def meet_new_items(self, review: Review) -> None:
        """Learn whom the product asks, once, when all is there; from then on the model follows by itself."""
        if review.asked or self.state(review) is CampaignState.OPENING:
            return
        labels = {(holder, given.product): given.label for holder in CAST for given in CAST[holder]}
        for item in self.run(self.world.items(review.id)):
            key = (item.person_id, item.product_id)
            asked = Asked(item.id, *key, labels[key], item.assignee_id)
            if self.touched & {(item.person_id, product) for product in (E3, E5)} and asked.label is Label.ONE_OF_TWO:
                asked.label = Label.MAILBOX if item.plan.held else Label.ONE_OF_TWO
            if self.touched & {key} and not item.plan.writable:
                asked.label = Label.MAILBOX if item.plan.held else Label.BY_HAND
            assert item.assignee_id in (*REVIEWERS, OWNER_GROUP)
            assert item.assignee_id != item.person_id
            review.asked[key] = asked

    # What must hold ---------------------------------------------------------------------------------------------------
    @invariant()
    @precondition(lambda self: self.reviews)
    def the_books_agree(self) -> None:
        for review in self.reviews:
            self.meet_new_items(review)
        self.run(check(self.world))

    @invariant()
    @precondition(lambda self: self.reviews)
    def rules_3_5_6_8_every_write_was_allowed(self) -> None:
        writes = self.world.writer.writes
        for number in range(self.judged, len(writes)):
            self.judge(writes[number], number)
        self.judged = len(writes)
        took = [write.at for write in writes if write.took]
        for at in took:
            assert sum(at - HOUR < other <= at for other in took) <= self.an_hour, "rule 8: too many in an hour"

    def judge(self, write: Call, number: int) -> None:
        product = write.ref
        if write.method == "leave_group":
            assert write.ref == VISIO_GROUP, "rule 6: a group that nobody but a person may write"
            product = VISIO
        key = (write.person, product)
        approved = [review for review in self.reviews if review.removal_approved(key, partial(self.was_shown, review))]
        assert approved, f"rule 3: nobody approved {write}"
        assert number < self.excluded.get(write.person, number + 1), f"excluded, and taken all the same: {write}"
        assert not all(review.dry_run for review in approved), f"rule 8: a dry run wrote {write}"
        assert self.dry_from is None or number < self.dry_from, f"rule 8: the installation is a dry run: {write}"
        assert not write.frozen, f"rule 8: frozen {write}"
        assert not any(review.is_abandoned for review in approved if len(approved) == 1), f"abandoned: {write}"
        if self.live_reads > 1 and number >= self.used_again.get(key, number + 1):
            raise AssertionError(f"rule 5: used again before {write}")
        for review in approved:
            for person, at in {who: notice.wave.closes_at for who, notice in self.lists(review)}.items():
                assert len(approved) > 1 or at <= write.at, f"{person} was told {at}, written {write}"

    @invariant()
    @precondition(lambda self: self.reviews)
    def rule_4_a_seat_is_with_whom_and_answered_as_people_did(self) -> None:
        for review in self.reviews:
            self.meet_new_items(review)
            if self.state(review) is not CampaignState.OPEN:
                continue
            for item in self.run(self.world.items(review.id)):
                asked = review.asked[item.person_id, item.product_id]
                answer = item.answer
                stored = (item.assignee_id, item.not_sure_by, item.delegated_by, answer and (answer.choice, answer.by))
                known = (asked.choice, asked.by) if asked.choice else None
                assert stored == (asked.assignee, asked.unsure_by, asked.passed_by, known)

    @invariant()
    @precondition(lambda self: self.reviews)
    def rule_7_what_comes_back_is_what_we_took_once_and_it_saves_nothing(self) -> None:
        inverse = {"assign_direct": "remove_direct", "join_group": "leave_group"}
        taken = Counter((write.method, write.person, write.ref) for write in self.world.writer.writes if write.took)
        given = Counter((inverse[one.method], one.person, one.ref) for one in self.world.writer.given if one.took)
        assert all(number <= taken[key] for key, number in given.items()), (given, taken)
        for review in self.reviews:
            restores, reversals = self.run(self.ways(review))
            if not restores and not reversals:
                continue
            items = {item.id: item for item in self.run(self.world.items(review.id))}
            for restore in restores:
                assert items[restore.item_id].outcome is Outcome.REMOVED
                if restore.state is RestoreState.RESTORED:
                    assert restore.item_id in reversals
            gone = sum(item.outcome in (Outcome.REMOVED, Outcome.MANUAL_DONE) for item in items.values())
            assert self.run(self.world.statuses.status(review.id)).verified_count == gone - len(reversals)

    async def ways(self, review: Review) -> tuple[list[Restore], set[ItemId]]:
        async with self.world.work.read() as work:
            back = await work.restores.reversals_of(review.id)
            return await work.restores.of_campaign(review.id), {one.item_id for one in back}

    @invariant()
    @precondition(lambda self: self.reviews)
    def rule_6_nobody_loses_the_last_mailbox(self) -> None:
        for holder in ("raul", "dora"):
            taken = Counter(write.ref for write in self.world.writer.writes if write.person == holder and write.took)
            taken.subtract(one.ref for one in self.world.writer.given if one.person == holder and one.took)
            assert sum(taken[product] > 0 for product in (E3, E5)) <= (holder == "raul")

    @invariant()
    @precondition(lambda self: self.reviews)
    def rule_7_what_is_called_removed_was_taken_by_us_and_an_end_is_an_end(self) -> None:
        taken = {write.person for write in self.world.writer.writes if write.took}
        for review in self.reviews:
            for item in self.run(self.world.items(review.id)):
                if item.outcome is Outcome.REMOVED:
                    assert item.person_id in taken, item
                if item.outcome in (Outcome.KEPT, Outcome.HELD, Outcome.NOT_SUPPORTED, Outcome.DRY_RUN):
                    key = (item.person_id, item.product_id)
                    assert key in self.touched or self.world.holds(*key) or self.removed_elsewhere(item.id, key), item
                before = self.ended.get(item.id)
                assert before in (None, Outcome.FAILED, item.outcome), (before, item)
                if item.outcome is not None:
                    self.ended[item.id] = item.outcome

    def removed_elsewhere(self, item: ItemId, key: Key) -> bool:
        others = [one.asked[key].id for one in self.reviews if key in one.asked and one.asked[key].id != item]
        return any(self.ended.get(other) is Outcome.REMOVED for other in others)

    @invariant()
    @precondition(lambda self: len(self.reviews) > 1)
    def rule_9_a_seat_that_was_kept_is_not_asked_about_again(self) -> None:
        first, second = self.reviews
        if self.state(first) is CampaignState.CANCELLED:
            return
        kept = {asked.key for asked in first.asked.values() if asked.choice is Choice.KEEP}
        assert not kept & second.asked.keys()

    # The end ----------------------------------------------------------------------------------------------------------
    def let_everything_end(self) -> None:
        """Nothing goes wrong any more: every campaign ends, and every approved seat that nobody touched is removed."""
        world = self.world
        world.messenger.unreachable.clear()
        world.messenger.forgive()
        world.writer.forgive()
        world.directory.forgive()
        world.writer.busy.clear()
        world.writer.refused.clear()
        if self.brake.frozen:
            self.run(world.resume(ask=LYNNE, confirm=ROSA))
            self.brake = Brake()
        self.run(world.settle())
        for _ in range(60):
            states = {self.state(review) for review in self.reviews}
            if states <= set(OVER):
                break
            last = world.clock.now() + 30 * DAY
            self.run(world.until(self.run(world.due.next_due(last)) or world.clock.now() + HOUR))
        assert {self.state(review) for review in self.reviews} <= set(OVER), states
        for _ in range(60):
            if not any(one.state is RestoreState.RESTORING for review in self.reviews for one in self.restores(review)):
                break
            last = world.clock.now() + 7 * DAY
            self.run(world.until(self.run(world.due.next_due(last)) or world.clock.now() + HOUR))
        assert all(one.state is not RestoreState.RESTORING for review in self.reviews for one in self.restores(review))
        self.rule_7_what_comes_back_is_what_we_took_once_and_it_saves_nothing()
        self.the_books_agree()
        self.rules_3_5_6_8_every_write_was_allowed()
        self.rule_6_nobody_loses_the_last_mailbox()
        self.rule_7_what_is_called_removed_was_taken_by_us_and_an_end_is_an_end()
        for review in self.reviews:
            self.nobody_is_asked_any_more(review)
            if self.state(review) is CampaignState.CLOSED:
                self.every_seat_ends_as_it_should(review)

    def restores(self, review: Review) -> list[Restore]:
        return self.run(self.ways(review))[0]

    def nobody_is_asked_any_more(self, review: Review) -> None:
        newest = {
            sent.person: sent.notice
            for sent in self.world.messenger.sent
            if isinstance(sent.notice, WaveNotice | ListGoneNotice) and sent.notice.matter == f"wave:{review.id}"
        }
        for person, notice in newest.items():
            if f"chat {person}" not in self.lost_sight and isinstance(notice, WaveNotice):
                assert notice.wave.campaign_state is not CampaignState.OPEN, f"{person} has live buttons"

    def every_seat_ends_as_it_should(self, review: Review) -> None:
        for item in self.run(self.world.items(review.id)):
            asked = review.asked[item.person_id, item.product_id]
            approved = review.removal_approved(asked.key, partial(self.was_shown, review))
            if asked.label is Label.BY_HAND and asked.choice is Choice.REVOKE:
                allowed = {Outcome.NOT_SUPPORTED} | ({Outcome.KEPT} if item.person_id in self.excluded else set())
                assert item.outcome in allowed, item
            elif not approved:
                assert item.outcome is Outcome.KEPT, item
            elif not (self.troubled or self.touched & set(self.seats_of(item.person_id)) or review.is_abandoned):
                one_left = Outcome.HELD if asked.label is Label.ONE_OF_TWO else Outcome.REMOVED
                expected = {Outcome.DRY_RUN, one_left} if review.dry_run else {Outcome.REMOVED, one_left}
                assert item.outcome in expected - ({Outcome.REMOVED} if review.dry_run else set()), item


TestCampaigns = Campaigns.TestCase
TestCampaigns.settings = settings(
    max_examples=6, stateful_step_count=20, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
