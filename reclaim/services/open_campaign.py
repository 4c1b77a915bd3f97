"""Turn a launched campaign's frozen scope into review items, chunk by chunk; nothing is sent before it is whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from reclaim.domain.attestation import EventKind
from reclaim.domain.campaign import Campaign, CampaignState
from reclaim.domain.directory import Group, Person, Seat, Sku
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
from reclaim.services.jobs import owner_job, wave_job
from reclaim.services.prepare_campaign import candidates

CHUNK = 250  # items a transaction: far below the 250 ms that a write lock may be held


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
            there = {item.seat_id for item in await reading.items.of_campaign(campaign_id)}
        if campaign is None or campaign.state is not CampaignState.OPENING:
            return
        left = [SeatId(seat) for seat in campaign.scope.seat_ids if seat not in there]
        for start in range(0, len(left), CHUNK):
            await self._add(campaign, left[start : start + CHUNK])
        await self._open(campaign_id)

    async def _add(self, campaign: Campaign, seat_ids: Sequence[SeatId]) -> None:
        async with self._work.write() as work:
            now_campaign = await work.campaigns.get(campaign.id)
            if now_campaign is None or now_campaign.state is not CampaignState.OPENING:
                return  # cancelled meanwhile: no further question may open
            facts = await _load(work, seat_ids, campaign, self._clock.now())
            # Between preview and opening another campaign may have asked about the same seat: one open question per seat.
            asked = await work.items.with_open_question(seat_ids)
            items = [
                item
                for seat in seat_ids
                if seat not in asked and (item := self._item(campaign, seat, facts)) is not None
            ]
            now = self._clock.now()
            await work.items.add_many(items, at=now)
            await work.items.open_questions(items, at=now)
            await work.events.append(
                *(
                    self._attest.event(
                        EventKind.ITEM_ASSIGNED,
                        actor=SYSTEM,
                        campaign=campaign.id,
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
                    for item in items
                )
            )
            await work.commit()

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
        plan = plan_removal(seat, own, skus=facts.skus, groups=facts.groups)
        return ReviewItem(
            id=ItemId(self._tokens.new_id()),
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
                },
                monthly=price.monthly if price else None,
            ),
            plan=plan,
            version=1,
            assignee_id=assignment.assignee_id,
            assignee_kind=assignment.kind,
            assigned_how=assignment.how,
            assigned_reason=assignment.reason,
        )

    async def _open(self, campaign_id: CampaignId) -> None:
        async with self._work.write() as work:
            campaign = await work.campaigns.get(campaign_id)
            if campaign is None or campaign.state is not CampaignState.OPENING:
                return
            now = self._clock.now()
            reviewers = await work.items.reviewers(campaign_id)
            if not reviewers:
                await work.campaigns.save(replace(campaign.to(CampaignState.CANCELLED), closed_at=now))
                await work.commit()
                return
            # The items are the frozen scope from here on; the list of seats would be read with every click.
            scope = replace(campaign.scope, seat_ids=())
            await work.campaigns.save(replace(campaign.to(CampaignState.OPEN), opened_at=now, scope=scope))
            await work.events.append(
                self._attest.event(
                    EventKind.CAMPAIGN_OPENED,
                    actor=SYSTEM,
                    campaign=campaign_id,
                    facts={
                        "items": sum(one.total for one in reviewers),
                        "reviewers": len(reviewers),
                        "frozen": len(campaign.scope.seat_ids),
                        "mode": campaign.mode.value,
                    },
                )
            )
            for person in await work.items.asked(campaign_id):
                await work.enqueue(wave_job(campaign_id, person, "open"))
            await work.enqueue(owner_job(campaign_id, "open"))
            await work.commit()


async def _load(work: UnitOfWork, seat_ids: Sequence[SeatId], campaign: Campaign, now: datetime) -> _Facts:
    findings = await work.findings.get_many(seat_ids)
    holders = {finding.person_id for finding in findings.values()}
    people = await work.people.get_many(holders)
    more = {person.manager_id for person in people.values() if person.manager_id}
    more |= {one for one in (campaign.reviewer_id, campaign.fallback_id) if one}
    people |= await work.people.get_many(more - people.keys())
    return _Facts(
        findings=findings,
        people=people,
        among=await candidates(
            work, campaign.strategy, people, reviewer_id=campaign.reviewer_id, fallback_id=campaign.fallback_id
        ),
        seats=await work.seats.of_people(holders),
        skus=await work.catalog.skus(),
        groups=await work.catalog.groups(),
        prices=await work.catalog.prices(now),
    )
