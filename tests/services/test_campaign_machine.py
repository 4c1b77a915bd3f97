"""Campaigns under any order of events: what must never happen does not, whatever people, clock and tenant do."""

import asyncio
import tempfile
from collections.abc import Awaitable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import ClassVar, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from reclaim.domain.campaign import CampaignState, Silence
from reclaim.domain.ids import PersonId
from reclaim.domain.removal import Outcome
from reclaim.domain.review import Choice
from reclaim.errors import Conflict, InvalidRequest, NotAuthorized
from tests.databases import copy_sqlite, migrate_sqlite_template
from tests.services.campaign_world import HOUR, NORA, CampaignWorld, actor, check
from tests.services.world import ALLAN, LYNNE, MEGAN, PROJECT, VISIO, VISIO_GROUP, seat

HOLDERS = ("ada", "ben", "cleo")
REVIEWERS = (MEGAN, NORA, ALLAN)
REFUSALS = (Conflict, NotAuthorized, InvalidRequest)
Result = TypeVar("Result")


class Campaigns(RuleBasedStateMachine):
    """One campaign on three seats: a direct one, one through a slow group, and one of a reviewer.

    `standing` is the oracle: the last answer that was accepted for each seat before the close, kept beside the product.
    """

    template: ClassVar[Path | None] = None

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        if Campaigns.template is None:
            Campaigns.template = migrate_sqlite_template(Path(tempfile.mkdtemp()))
        self.world = CampaignWorld(copy_sqlite(Campaigns.template, Path(self.folder.name)))
        self.standing: dict[str, Choice | None] = dict.fromkeys((*HOLDERS, NORA))
        self.unsure: set[str] = set()
        self.used_again: set[str] = set()
        self.silence = Silence.KEEP

    def run(self, call: Awaitable[Result]) -> Result:
        return self.loop.run_until_complete(call)

    @initialize(silence=st.sampled_from(Silence))
    def open(self, silence: Silence) -> None:
        self.silence = silence
        world = self.world
        world.hire("ada")
        world.hire("ben", seat("ben", VISIO, VISIO_GROUP))
        world.hire("cleo", seat("cleo", VISIO, None, VISIO_GROUP))
        world.hire(NORA, seat(NORA, VISIO), seat(NORA, PROJECT), manager=MEGAN)
        world.writer.group_delay = 3 * HOUR
        self.run(world.start())
        self.run(world.open(silence=silence))

    def teardown(self) -> None:
        self.run(self.world.stop())
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()
        self.folder.cleanup()

    # People -----------------------------------------------------------------------------------------------------------
    @rule(
        holder=st.sampled_from((*HOLDERS, NORA)),
        by=st.sampled_from((*REVIEWERS, "ada")),
        choice=st.sampled_from(Choice),
    )
    def answer(self, holder: str, by: str, choice: Choice) -> None:
        before = self.run(self.world.item(holder))
        with suppress(*REFUSALS):
            self.run(self.world.decide(choice, holder, by=by))
            assert by != holder
            assert before.assignee_id == by
            moved = choice is Choice.NOT_SURE and holder not in self.unsure and by != ALLAN
            self.standing[holder] = None if choice is Choice.WITHDRAWN or moved else choice
            if moved:
                self.unsure.add(holder)

    @rule(
        holder=st.sampled_from((*HOLDERS, NORA)), by=st.sampled_from(REVIEWERS), to=st.sampled_from((*REVIEWERS, "ada"))
    )
    def pass_on(self, holder: str, by: str, to: str) -> None:
        with suppress(*REFUSALS):
            self.run(self.world.pass_on(holder, to, by=by))
            assert holder != to
            self.standing[holder] = None

    @rule(holder=st.sampled_from((*HOLDERS, NORA)), by=st.sampled_from(REVIEWERS))
    def take_back(self, holder: str, by: str) -> None:
        item = self.run(self.world.item(holder))
        self.world.clicks += 1
        with suppress(*REFUSALS):
            self.run(self.world.delegation.take_back(actor(by), item.id, idem_key=f"click-{self.world.clicks}"))

    @rule()
    def close_early(self) -> None:
        with suppress(Conflict):
            self.run(self.world.closing.early(actor(LYNNE), self.world.campaign_id))

    @rule()
    def freeze(self) -> None:
        with suppress(Conflict):
            self.run(self.world.freezing.freeze(actor(LYNNE), "something is wrong"))

    @rule()
    def resume(self) -> None:
        with suppress(Conflict):
            self.run(self.world.resume())

    @rule()
    def retry(self) -> None:
        with suppress(Conflict):
            self.run(self.world.closing.retry(actor(LYNNE), self.world.campaign_id))

    # The tenant -------------------------------------------------------------------------------------------------------
    @rule(holder=st.sampled_from(HOLDERS))
    def sign_in(self, holder: str) -> None:
        self.world.sign_in(holder)
        self._use_again(holder)

    @rule(holder=st.sampled_from(HOLDERS))
    def grant_again(self, holder: str) -> None:
        if self.world.holds(holder) and self._untouched(holder):
            self.world.give(holder)
            self._use_again(holder)

    def _untouched(self, holder: str) -> bool:
        return all(write.person != holder for write in self.world.writer.writes)

    def _use_again(self, holder: str) -> None:
        if self._untouched(holder):
            self.used_again.add(holder)

    @rule(who=st.sampled_from(REVIEWERS))
    def lose_or_find(self, who: PersonId) -> None:
        self.world.messenger.unreachable ^= {who}

    # Time -------------------------------------------------------------------------------------------------------------
    @rule()
    def tick(self) -> None:
        self.run(self.world.settle())

    @rule(hours=st.sampled_from((1, 5, 26, 150, 300)))
    def wait(self, hours: int) -> None:
        self.run(self.world.wait(timedelta(hours=hours)))

    @rule(hours=st.sampled_from((3, 40, 400)))
    def sleep_through(self, hours: int) -> None:
        """The process is down; then it starts again."""
        self.world.clock.advance(timedelta(hours=hours))
        self.run(self.world.restart())
        self.run(self.world.settle())

    # What must hold ---------------------------------------------------------------------------------------------------
    @invariant()
    def nothing_is_written_that_was_not_approved(self) -> None:
        if not hasattr(self.world, "campaign_id"):
            return
        self.run(check(self.world))
        for write in self.world.writer.writes:
            answer = self.standing[write.person]
            by_silence = answer is None and self.silence is not Silence.KEEP and write.person not in self.unsure
            assert answer is Choice.REVOKE or by_silence, (write, answer)
            assert write.person not in self.used_again, write
        campaign = self.run(self.world.campaign())
        if campaign.state is CampaignState.OPEN:
            stored = {item.person_id: item.answer for item in self.run(self.world.items()) if item.product_id == VISIO}
            assert {who: one.choice if one else None for who, one in stored.items()} == self.standing

    @invariant()
    @precondition(lambda self: hasattr(self.world, "campaign_id"))
    def what_is_removed_is_gone_and_what_is_kept_is_there(self) -> None:
        for item in self.run(self.world.items()):
            if item.outcome is Outcome.REMOVED:
                assert not self.world.holds(item.person_id, item.product_id)
            elif item.outcome is not None and item.outcome is not Outcome.FAILED:
                assert self.world.holds(item.person_id, item.product_id)


TestCampaigns = Campaigns.TestCase
TestCampaigns.settings = settings(
    max_examples=12,
    stateful_step_count=14,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
