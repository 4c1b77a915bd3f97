"""Turn a launched campaign's frozen scope into review items, chunk by chunk; nothing is sent before it is whole."""

from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from reclaim.domain.attestation import Event, EventKind
from reclaim.domain.campaign import Campaign, CampaignState
from reclaim.domain.directory import Group, MailboxPurpose, Person, Seat, Sku
from reclaim.domain.idle import Finding
from reclaim.domain.ids import CampaignId, GroupId, ItemId, PersonId, ProductId, SeatId
from reclaim.domain.money import Price
from reclaim.domain.policy import Policy
from reclaim.domain.removal import plan_removal
from reclaim.domain.review import ReviewItem, Snapshot, recommend
from reclaim.domain.reviewers import Assignment, Candidates, assign
from reclaim.ports.engine import Job
from reclaim.ports.storage import UnitOfWork, Work
from reclaim.ports.system import Clock, Tokens
from reclaim.services.attesting import SYSTEM, Attestor
from reclaim.services.chunks import AT_ONCE, in_chunks
from reclaim.services.jobs import owner_job, tell_job
from reclaim.services.prepare_campaign import candidates


@dataclass(frozen=True, slots=True)
class _Shared:
    """What all parts need, read once per job; `reviewers` grows to the managers of all holders."""

    reviewers: dict[PersonId, Person]
    among: Candidates
    skus: Mapping[ProductId, Sku]
    groups: Mapping[GroupId, Group]
    prices: Mapping[ProductId, Price]


@dataclass(frozen=True, slots=True)
class _Facts:
    """What a chunk of seats needs to become items."""

    findings: Mapping[SeatId, Finding]
    people: Mapping[PersonId, Person]
    among: Candidates
    seats: Mapping[PersonId, tuple[Seat, ...]]
    skus: Mapping[ProductId, Sku]
    groups: Mapping[GroupId, Group]
    prices: Mapping[ProductId, Price]
    purposes: Mapping[PersonId, MailboxPurpose]


@dataclass(frozen=True, slots=True)
class _Part:
    """The items of one part of the frozen seats, ready to be stored."""

    number: int
    items: Sequence[ReviewItem]
    events: Mapping[ItemId, Event]


class OpenCampaign:
    """Opens a campaign. Running it again goes on where it stopped."""

    def __init__(self, *, work: Work, clock: Clock, tokens: Tokens, policy: Policy) -> None:
        self._work = work
        self._clock = clock
        self._tokens = tokens
        self._policy = policy
        self._attest = Attestor(clock=clock, tokens=tokens)

    async def handle(self, job: Job) -> None:
        """Create the items of the campaign that the job names, then open it."""
        campaign_id = CampaignId(str(job.args["campaign"]))
        async with self._work.read() as reading:
            campaign = await reading.campaigns.get(campaign_id)
            if campaign is None or campaign.state is not CampaignState.OPENING:
                return
            shared = await _shared(reading, campaign, self._clock.now())
        # Not made while another is stored: the two would share one processor, and the write lock be held for both.
        while (part := await self._make(campaign, shared)) is not None:
            await self._store(campaign, part)
        await self._open(campaign_id)

    async def _make(self, campaign: Campaign, shared: _Shared) -> _Part | None:
        """Return the items of the next part of the frozen seats, or None if there is none."""
        async with self._work.read() as reading:
            found = await reading.campaigns.next_seats(campaign.id)
            if found is None:
                return None
            number, seat_ids = found
            facts = await _load(reading, seat_ids, shared)
        items: list[ReviewItem] = []
        events: dict[ItemId, Event] = {}
        for some in in_chunks(seat_ids, AT_ONCE):
            await self._work.give_way()
            made = [item for seat in some if (item := self._item(campaign, seat, facts)) is not None]
            items += made
            events |= {item.id: self._assigned(item) for item in made}
        return _Part(number, items, events)

    async def _store(self, campaign: Campaign, part: _Part) -> None:
        """Store a part of the items, all at once, unless another job did, which thought this one dead."""
        now = self._clock.now()
        async with self._work.write() as work:
            # Cancelled meanwhile, its parts are gone, and no further question may open.
            if not await work.campaigns.seats_opened(campaign.id, part.number):
                return
            # Between preview and opening another campaign may have asked about the same seat: one open question per seat.
            asked = await work.items.with_open_question(item.seat_id for item in part.items)
            fresh = [item for item in part.items if item.seat_id not in asked]
            await work.items.add_many(fresh, at=now)
            await work.items.open_questions(fresh, at=now)
            await work.events.append(*(part.events[item.id] for item in fresh))
            await work.commit()

    def _assigned(self, item: ReviewItem) -> Event:
        return self._attest.event(
            EventKind.ITEM_ASSIGNED,
            actor=SYSTEM,
            campaign=item.campaign_id,
            item=item.id,
            facts={
                "seat": item.seat_id,
                "rule": item.rule.value,
                "assignee": item.assignee_id,
                "assignee_kind": item.assignee_kind.value,
                "how": item.assigned_how.value,
                "why": item.assigned_reason,
                "recommendation": item.recommendation.value,
                "blocker": item.plan.blocker.value if item.plan.blocker else None,
            },
            personal={"holder": item.snapshot.person_name, "upn": item.snapshot.upn},
        )

    def _item(self, campaign: Campaign, seat_id: SeatId, facts: _Facts) -> ReviewItem | None:
        """Return the item of a seat, or None if its facts vanished since the launch: then the seat is simply kept."""
        finding = facts.findings.get(seat_id)
        if finding is not None and not finding.is_idle_for(campaign.scope.days, self._clock.now()):
            return None  # read anew since the launch: findings are kept for a smaller window than most campaigns ask
        person = facts.people.get(finding.person_id) if finding else None
        own = facts.seats.get(finding.person_id, ()) if finding else ()
        seat = next((one for one in own if one.id == seat_id), None)
        if finding is None or person is None or seat is None:
            return None
        assignment = assign(campaign.strategy, person, seat.product_id, facts.among)
        if assignment.assignee_id is None:
            return None
        return self._frozen(campaign, finding, person, seat, own, assignment, facts)

    def _frozen(
        self,
        campaign: Campaign,
        finding: Finding,
        person: Person,
        seat: Seat,
        own: Sequence[Seat],
        assignment: Assignment,
        facts: _Facts,
    ) -> ReviewItem:
        sku = facts.skus.get(seat.product_id)
        price = facts.prices.get(seat.product_id)
        plan = plan_removal(seat, own, skus=facts.skus, groups=facts.groups, purpose=facts.purposes.get(person.id))
        return ReviewItem(
            id=ItemId(self._tokens.new_row_id()),
            campaign_id=campaign.id,
            seat_id=seat.id,
            person_id=person.id,
            product_id=seat.product_id,
            rule=finding.rule,
            recommendation=recommend(plan),
            snapshot=Snapshot(
                person_name=person.shown_name,
                upn=person.upn,
                department=person.department,
                account_enabled=person.enabled,
                disabled_seen_at=person.disabled_seen_at,
                sku_name=sku.name if sku else seat.product_id,
                part_number=sku.part_number if sku else "",
                last_seen_at=finding.last_seen_at,
                last_seen_kind=finding.last_seen_kind,
                quiet_since=finding.quiet_since,
                assigned_at=finding.assigned_at,
                data_as_of=finding.data_as_of,
                paths=seat.paths,
                path_names={
                    path.group_id: facts.groups[path.group_id].name
                    for path in seat.paths
                    if path.group_id is not None and path.group_id in facts.groups
                }
                | {one: facts.skus[one].name for one in plan.needed_by if one in facts.skus},
                monthly=price.monthly if price else None,
                last_used_at=finding.last_used_at,
                reported_at=finding.reported_at,
            ),
            plan=plan,
            version=1,
            assignee_id=assignment.assignee_id,
            assignee_kind=assignment.kind,
            assigned_how=assignment.how,
            assigned_reason=assignment.reason,
        )

    async def _open(self, campaign_id: CampaignId) -> None:
        # Counted before the write lock is taken: nobody can answer yet, so that only a cancelling could change it.
        async with self._work.read() as reading:
            reviewers = await reading.items.reviewer_figures(campaign_id, top=0)
            figures = await reading.items.figures(campaign_id)
        async with self._work.write() as work:
            campaign = await work.campaigns.get(campaign_id)
            if campaign is None or campaign.state is not CampaignState.OPENING:
                return
            now = self._clock.now()
            frozen = await work.campaigns.drop_seats(campaign_id)
            if not figures:
                await work.campaigns.save(replace(campaign.to(CampaignState.CANCELLED), closed_at=now))
                await work.commit()
                return
            await work.campaigns.save(replace(campaign.to(CampaignState.OPEN), opened_at=now))
            await work.events.append(
                self._attest.event(
                    EventKind.CAMPAIGN_OPENED,
                    actor=SYSTEM,
                    campaign=campaign_id,
                    facts={
                        "items": sum(figure.items for figure in figures),
                        "reviewers": reviewers.total,
                        "frozen": frozen,
                        "mode": campaign.mode.value,
                    },
                )
            )
            await work.enqueue(tell_job(campaign_id, "open"))
            await work.enqueue(owner_job(campaign_id, "open"))
            await work.commit()


async def _shared(work: UnitOfWork, campaign: Campaign, now: datetime) -> _Shared:
    named = [one for one in (campaign.reviewer_id, campaign.fallback_id) if one]
    reviewers = await work.people.get_many(named)
    return _Shared(
        reviewers=reviewers,
        among=await candidates(
            work, campaign.strategy, {}, reviewer_id=campaign.reviewer_id, fallback_id=campaign.fallback_id
        ),
        skus=await work.catalog.skus(),
        groups=await work.catalog.groups(),
        prices=await work.catalog.prices(now),
    )


async def _load(work: UnitOfWork, seat_ids: Sequence[SeatId], shared: _Shared) -> _Facts:
    findings = await work.findings.get_many(seat_ids)
    holders = {finding.person_id for finding in findings.values()}
    people = await work.people.get_many(holders)
    managers = {person.manager_id for person in people.values() if person.manager_id}
    shared.reviewers.update(await work.people.get_many(managers - shared.reviewers.keys()))
    return _Facts(
        findings=findings,
        people=people,
        among=replace(shared.among, people=ChainMap(people, shared.reviewers, dict(shared.among.people))),
        seats=await work.seats.of_people(holders),
        skus=shared.skus,
        groups=shared.groups,
        prices=shared.prices,
        purposes=await work.mailboxes.purposes(holders),
    )
