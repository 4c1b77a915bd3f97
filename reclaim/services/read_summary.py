"""What became of a reviewer's answers, and of a holder's seats: what both are told after the close."""

from reclaim.domain.campaign import Campaign
from reclaim.domain.ids import CampaignId, PersonId
from reclaim.domain.policy import Policy
from reclaim.domain.read_models import ReceiptSeat, ReviewSummary, SeatReceipt
from reclaim.domain.removal import VERIFIED_GONE, Outcome
from reclaim.domain.review import Members, ReviewItem
from reclaim.ports.storage import UnitOfWork, Work
from reclaim.ports.system import Clock
from reclaim.services.appeal_lines import appeal_lines
from reclaim.services.naming import members_of
from reclaim.services.way_back import ways_back


class ReadSummary:
    """Reads; changes nothing."""

    def __init__(self, *, work: Work, clock: Clock, policy: Policy) -> None:
        self._work = work
        self._clock = clock
        self._policy = policy

    async def summary(self, campaign: CampaignId, person: PersonId) -> ReviewSummary | None:
        """Return the reviewer's summary; None while answers count, or if they have nothing in this campaign."""
        async with self._work.read() as work:
            found = await work.campaigns.get(campaign)
            if found is None or found.closing_at is None:
                return None
            items = await work.items.for_reviewer(campaign, person)
            passed = await work.items.passed_on(campaign, person)
            members = await members_of(work, items)
            if not items and not passed:
                return None
            owner = await _owner(work, found)
            back = await work.restores.reversals(item.id for item in items if item.outcome in VERIFIED_GONE)
        return ReviewSummary(
            campaign_id=found.id,
            campaign_name=found.name,
            campaign_state=found.state,
            mode=found.mode,
            silence=found.silence,
            owner_name=owner,
            reviewer_id=person,
            closed_at=found.closing_at,
            zone=found.zone,
            answered=tuple(item for item in items if item.answer is not None and item.answer.by == person),
            unanswered=tuple(item for item in items if item.answer is None and item.is_with(person, members)),
            passed_on=tuple(item for item in passed if not _is_own(item, person, members)),
            reversed=frozenset(back),
        )

    async def receipt(self, campaign: CampaignId, person: PersonId) -> SeatReceipt | None:
        """Return which seats of this holder are verified gone through this campaign; None if none is."""
        async with self._work.read() as work:
            found = await work.campaigns.get(campaign)
            theirs = [i for i in await work.items.of_person(person) if i.campaign_id == campaign]
            gone = [item for item in theirs if item.outcome is Outcome.REMOVED]
            if found is None or not gone:
                return None
            people = await work.people.get_many({item.answer.by for item in gone if item.answer is not None})
            owner = await _owner(work, found)
            ways = await ways_back(work, gone, clock=self._clock, policy=self._policy)
            appeals = await work.appeals.of_items(item.id for item in gone)
            lines = await appeal_lines(work, list(appeals.values()))
        seats = [
            ReceiptSeat(
                item=item,
                approved_by=(people[item.answer.by].shown_name if item.answer.by in people else item.answer.by)
                if item.answer
                else None,
                way=ways[item.id],
                appeal=lines.get(item.id),
            )
            for item in sorted(gone, key=lambda item: (item.snapshot.sku_name.casefold(), item.id))
        ]
        return SeatReceipt(campaign_id=found.id, campaign_name=found.name, owner_name=owner, seats=tuple(seats))


def _is_own(item: ReviewItem, person: PersonId, members: Members) -> bool:
    """Whether a seat that was handed on is told among the answers, or among what is still with this person."""
    return item.answer.by == person if item.answer is not None else item.is_with(person, members)


async def _owner(work: UnitOfWork, campaign: Campaign) -> str:
    owner = await work.people.get(campaign.owner_id)
    return owner.shown_name if owner else campaign.owner_id
