"""Tell reviewers what became of their answers and holders which of their seats are gone, each in one message."""

import asyncio
from collections.abc import Iterable, Sequence

import structlog

from reclaim.domain.attestation import EventKind
from reclaim.domain.ids import CampaignId, ItemId, PersonId
from reclaim.domain.notices import Notice, ReceiptNotice, SummaryNotice, summary_matter
from reclaim.domain.policy import Policy
from reclaim.domain.review import Members, ReviewItem
from reclaim.errors import DeliveryError, PortError
from reclaim.ports.chat import Messenger
from reclaim.ports.engine import Job
from reclaim.ports.storage import Work
from reclaim.ports.system import Clock, Tokens
from reclaim.services.attesting import SYSTEM, Attestor, delivered
from reclaim.services.naming import members_of
from reclaim.services.read_summary import ReadSummary

log = structlog.get_logger(__name__)


class TellResults:
    """Handlers of the jobs that tell results. A live message of the matter is updated, so nobody gets two.

    A channel that fails leaves a message record; `DueWork` enqueues another try from it.
    """

    def __init__(
        self, *, work: Work, clock: Clock, tokens: Tokens, policy: Policy, read: ReadSummary, messenger: Messenger
    ) -> None:
        self._work = work
        self._read = read
        self._messenger = messenger
        self._clock = clock
        # Most of what a channel takes, and of our own time, is for clicks and for the removals that still go on.
        self._between_s = 60 / policy.receipts_per_minute
        self._turn = asyncio.Lock()
        self._attest = Attestor(clock=clock, tokens=tokens)

    async def handle_summary(self, job: Job) -> None:
        """Show a reviewer what became of their answers; nothing to who gave none and lost none by silence."""
        await self._summary(CampaignId(str(job.args["campaign"])), PersonId(str(job.args["person"])))

    async def handle_progress(self, job: Job) -> None:
        """Redraw the summaries of those of whose seats one has ended since their card was drawn."""
        campaign = CampaignId(str(job.args["campaign"]))
        async with self._work.read() as work:
            orders = await work.orders.of_campaign(campaign)
            items = await work.items.get_many({step.item_id for order in orders for step in order.steps})
            members = await members_of(work, items.values())
            drawn = {one.person_id: one.sent_at for one in await work.messages.live_of_matter(summary_matter(campaign))}
        for person, own in _by_reviewer(items.values(), members).items():
            at = drawn.get(person)
            if at is None or any(item.outcome_at is not None and item.outcome_at >= at for item in own):
                await self._summary(campaign, person)

    async def handle_receipt(self, job: Job) -> None:
        """Tell a holder which of their seats are verified gone, and how each may come back."""
        await self._receipt(CampaignId(str(job.args["campaign"])), PersonId(str(job.args["person"])))

    async def handle_receipts(self, job: Job) -> None:
        """Tell many holders, so many a minute over all jobs of this process.

        One who cannot be told keeps nobody else waiting. The error ends the job after all of them.
        """
        campaign = CampaignId(str(job.args["campaign"]))
        failed: Exception | None = None
        for person in str(job.args["people"]).split(","):
            async with self._turn:
                await self._clock.sleep(self._between_s)
            try:
                await self._receipt(campaign, PersonId(person))
            except PortError as error:
                failed = error
        if failed is not None:
            raise failed

    async def _receipt(self, campaign: CampaignId, person: PersonId) -> None:
        receipt = await self._read.receipt(campaign, person)
        if receipt is not None:
            seats = [seat.item.id for seat in receipt.seats]
            await self._tell(ReceiptNotice(receipt=receipt), campaign, person, "receipt", seats)

    async def _summary(self, campaign: CampaignId, person: PersonId) -> None:
        summary = await self._read.summary(campaign, person)
        if summary is not None and summary.concerns:
            seats = [item.id for item in (*summary.answered, *summary.by_silence)]
            await self._tell(SummaryNotice(summary=summary), campaign, person, "summary", seats)

    async def _tell(
        self, notice: Notice, campaign: CampaignId, person: PersonId, about: str, items: Sequence[ItemId]
    ) -> None:
        try:
            delivery = await self._messenger.deliver(person, notice)
        except DeliveryError as error:
            log.warning("a result could not be told", campaign=campaign, person=person, about=about, why=error.code)
            return
        async with self._work.write() as work:
            await work.events.append(
                self._attest.event(
                    EventKind.RESULT_TOLD,
                    actor=SYSTEM,
                    campaign=campaign,
                    facts={
                        "about": about,
                        **delivered(person, delivery),
                        "items": len(items),
                    },
                )
            )
            await work.commit()


def _by_reviewer(items: Iterable[ReviewItem], members: Members) -> dict[PersonId, list[ReviewItem]]:
    """Group by who answered; what nobody answered, by everybody who could have."""
    found: dict[PersonId, list[ReviewItem]] = {}
    for item in items:
        if item.answer is not None:
            people = {item.answer.by}
        elif item.group_id is not None:
            people = set(members.get(item.group_id, ()))
        else:
            people = {PersonId(item.assignee_id)} if item.assignee_id is not None else set()
        for person in people:
            found.setdefault(person, []).append(item)
    return found
