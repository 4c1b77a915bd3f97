"""Say everything about one person's seats: flagged or not and why, who was asked, which messages went out, what became."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from reclaim.domain.activity import SeenAt, read_activity
from reclaim.domain.campaign import Campaign, CampaignState
from reclaim.domain.directory import Person, Seat, Sku
from reclaim.domain.exclusions import ExclusionKind, strongest
from reclaim.domain.idle import Finding, NotIdleWhy, judge_seat
from reclaim.domain.ids import PersonId, ProductId
from reclaim.domain.policy import Policy
from reclaim.domain.read_models import ExclusionView, SentMessage, WhyReport, WhySeat
from reclaim.domain.restore_views import WayBack
from reclaim.domain.review import ReviewItem
from reclaim.domain.workloads import (
    COUNTED_BY,
    NO_USE,
    ProductUse,
    Report,
    ReportLine,
    UsageReport,
    Use,
    Workload,
    product_use,
    read_use,
)
from reclaim.errors import InvalidRequest
from reclaim.ports.storage import SyncRun, UnitOfWork, Work
from reclaim.ports.system import Clock
from reclaim.services.exclusion_views import name_exclusions
from reclaim.services.find_idle_seats import as_read
from reclaim.services.find_person import find_person
from reclaim.services.freshness import data_age
from reclaim.services.naming import names_of
from reclaim.services.usage_rules import to_go_by, use_of, use_rules
from reclaim.services.way_back import ways_back


@dataclass(frozen=True, slots=True)
class _Asked:
    """What became of a seat in the newest campaign that asked about it."""

    item: ReviewItem
    campaign: Campaign | None
    assignee_name: str | None
    messages: tuple[SentMessage, ...]
    way: WayBack

    @property
    def cancelled(self) -> bool:
        """Whether the campaign was, so that nobody is asked any more."""
        return self.campaign is not None and self.campaign.state is CampaignState.CANCELLED


class ExplainSeat:
    """Answers `/reclaim why PERSON`."""

    def __init__(self, *, work: Work, clock: Clock, policy: Policy) -> None:
        self._work = work
        self._clock = clock
        self._policy = policy

    async def why(self, text: str) -> WhyReport:
        """Return the report on the person whom `text` names: id, user principal name, mail, or part of the name.

        Raises:
            NotFound: Nobody matches.
            InvalidRequest: Nothing was typed, or several people match; the message names them.
        """
        wanted = text.strip()
        if not wanted:
            raise InvalidRequest("Please name a person. Example: /reclaim why adele@contoso.com", field="person")
        now = self._clock.now()
        async with self._work.read() as reading:
            person = await find_person(reading, wanted)
            run = await reading.syncs.newest_complete()
            read = await reading.syncs.newest_read()
            skus = await reading.catalog.skus()
            seats = (await reading.seats.of_people([person.id])).get(person.id, ())
            asked = await self._asked(reading, person.id)
            held_by = await _held_by(reading, person, seats, now)
            readings = await reading.workload_use.readings()
            rules = await use_rules(reading, self._policy, now)
            judged_by = {seat.id: await use_of(reading, person, skus.get(seat.product_id), rules) for seat in seats}
            whole = to_go_by(readings, now)
            lines = await reading.workload_use.lines_of(person.upn, whole.values())
        there = [
            _with_use(
                self._held(person, seat, run, now, skus, asked, held_by.get(seat.product_id), judged_by[seat.id]),
                product_use(skus[seat.product_id].plans) if seat.product_id in skus else NO_USE,
                whole,
                lines,
                now - timedelta(days=self._policy.idle_days),
            )
            for seat in seats
        ]
        left = [_gone(one) for seat, one in asked.items() if seat not in {seat.product_id for seat in seats}]
        return WhyReport(
            person=person,
            person_name=person.shown_name,
            seats=tuple(sorted([*there, *left], key=lambda seat: seat.sku_name.casefold())),
            data=data_age(run, now, self._policy.data_max_age, newest_read=read),
            zone=self._policy.zone,
            now=now,
            roles=run.roles if run else "unread",
            usage=tuple(readings),
        )

    async def _asked(self, reading: UnitOfWork, person: PersonId) -> dict[ProductId, _Asked]:
        """Return the newest item of each of the person's products."""
        newest: dict[ProductId, ReviewItem] = {}
        for item in await reading.items.of_person(person):
            newest.setdefault(item.product_id, item)
        names = await names_of(reading, (item.assignee_id for item in newest.values()))
        ways = await ways_back(reading, list(newest.values()), clock=self._clock, policy=self._policy)
        return {
            product: _Asked(
                item=item,
                campaign=await reading.campaigns.get(item.campaign_id),
                assignee_name=names.get(item.assignee_id) if item.assignee_id else None,
                messages=tuple(await reading.messages.about_item(item.id)),
                way=ways[item.id],
            )
            for product, item in newest.items()
        }

    def _held(
        self,
        person: Person,
        seat: Seat,
        run: SyncRun | None,
        now: datetime,
        skus: Mapping[ProductId, Sku],
        asked: Mapping[ProductId, _Asked],
        exclusion: ExclusionView | None,
        use: Use | None,
    ) -> WhySeat:
        """Judge the seat as the scan does, so that "why not" has an answer too."""
        known = as_read(person, run) if run else person
        judged = judge_seat(
            known,
            seat,
            now=now,
            data_as_of=run.started_at if run else now,
            days=self._policy.idle_days,
            never_seen_since=self._policy.never_seen_since,
            use=use,
        )
        activity = read_activity(
            known.sign_ins, created_at=known.created_at, never_seen_since=self._policy.never_seen_since
        )
        about = asked.get(seat.product_id)
        flagged = judged if isinstance(judged, Finding) else None
        return WhySeat(
            sku_name=skus[seat.product_id].name if seat.product_id in skus else seat.product_id,
            rule=flagged.rule if flagged else None,
            not_idle=judged.value if isinstance(judged, NotIdleWhy) else None,
            quiet_since=flagged.quiet_since if flagged else None,
            last_seen_at=activity.at if isinstance(activity, SeenAt) else None,
            assigned_at=seat.assigned_at,
            item=about.item if about else None,
            campaign_name=about.campaign.name if about and about.campaign else None,
            assignee_name=about.assignee_name if about else None,
            messages=about.messages if about else (),
            cancelled=about is not None and about.cancelled,
            exclusion=exclusion,
            way=about.way if about else None,
        )


def _with_use(
    seat: WhySeat,
    product: ProductUse,
    whole: Mapping[Report, UsageReport],
    lines: Mapping[Report, ReportLine],
    window: datetime,
) -> WhySeat:
    """Add what the reports say of the product: as evidence, also where they are too old or not wanted to judge by."""
    use = read_use(product, whole, lines)
    counted = [
        (one, lines[COUNTED_BY[one]].last_used.get(one))
        for one in Workload
        if one in product.workloads and COUNTED_BY[one] in lines and one in lines[COUNTED_BY[one]].counted
    ]
    return replace(
        seat,
        last_used_at=use.last_used_at,
        services=tuple(counted),
        reported_at=use.reported_at,
        use_is_reported=use.whole,
        used_lately=use.last_used_at is not None and use.last_used_at > window,
    )


async def _held_by(
    reading: UnitOfWork, person: Person, seats: Sequence[Seat], now: datetime
) -> dict[ProductId, ExclusionView]:
    """Return what leaves out each of the person's seats, idle or not. That they may be away is told to nobody."""
    counting = [one for one in await reading.exclusions.counting(now) if one.kind is not ExclusionKind.AWAY]
    by_list = (await reading.people_lists.naming([person.id], now)).get(person.id, frozenset())
    found = {seat.product_id: strongest(counting, person, seat.product_id, now, by_list) for seat in seats}
    named = await name_exclusions(reading, {one.id: one for one in found.values() if one is not None}.values())
    views = {view.exclusion.id: view for view in named}
    return {product: views[one.id] for product, one in found.items() if one is not None}


def _gone(about: _Asked) -> WhySeat:
    """Show a seat that the person no longer holds, as it was when somebody was asked about it."""
    snapshot = about.item.snapshot
    return WhySeat(
        sku_name=snapshot.sku_name,
        rule=None,
        not_idle=NotIdleWhy.GONE.value,
        quiet_since=None,
        last_seen_at=snapshot.last_seen_at,
        assigned_at=snapshot.assigned_at,
        item=about.item,
        campaign_name=about.campaign.name if about.campaign else None,
        assignee_name=about.assignee_name,
        messages=about.messages,
        cancelled=about.cancelled,
        way=about.way,
    )
