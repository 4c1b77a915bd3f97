"""A reviewer's list of seats, one seat in full, and the inbox: what reviewers see."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from reclaim.domain.campaign import Campaign
from reclaim.domain.directory import Person, Seat, Sku
from reclaim.domain.ids import AssigneeId, CampaignId, ItemId, PersonId, ProductId
from reclaim.domain.money import Total
from reclaim.domain.paging import page_of
from reclaim.domain.policy import Policy
from reclaim.domain.read_models import BulkResult, InboxPage, InboxRow, InboxShow, InboxView, ItemView, Wave, WaveRow
from reclaim.domain.removal import VERIFIED_GONE
from reclaim.domain.restore_views import WayBack
from reclaim.domain.review import AssignedHow, Members, Recommendation, ReviewItem, whose
from reclaim.errors import NotFound
from reclaim.ports.storage import SyncRun, UnitOfWork, Work
from reclaim.ports.system import Clock
from reclaim.services.naming import names_of
from reclaim.services.way_back import ways_back
from reclaim.together import Together

_Asked = tuple[ItemId, PersonId]  # who looks at which seat

PAGE_SIZE = 10  # UX.md 2.1: rows a page; keeps the worst Teams card at 19 KB


@dataclass(frozen=True, slots=True)
class _Around:
    """What the cards of several seats show besides the seats."""

    names: Mapping[AssigneeId, str]
    newest: SyncRun | None
    seats: Mapping[PersonId, tuple[Seat, ...]]
    skus: Mapping[ProductId, Sku]
    asked_before: Mapping[PersonId, Sequence[ReviewItem]]
    holders: Mapping[PersonId, Person]
    ways: Mapping[ItemId, WayBack]


class ReadWave:
    """Reads lists and items; writes only where a reader left off (page and ticks)."""

    def __init__(self, *, work: Work, clock: Clock, policy: Policy) -> None:
        self._work = work
        self._clock = clock
        self._policy = policy
        self._items = Together(self._read_items)

    async def wave(self, campaign: CampaignId, person: PersonId, result: BulkResult | None = None) -> Wave | None:
        """Return this person's list in the campaign, or None if they have nothing in it."""
        async with self._work.read() as work:
            found = await work.campaigns.get(campaign)
            if found is None:
                return None
            return await self._wave(work, found, person, result)

    async def _wave(
        self, work: UnitOfWork, campaign: Campaign, person: PersonId, result: BulkResult | None
    ) -> Wave | None:
        items = await work.items.for_reviewer(campaign.id, person)
        if not items:
            return None
        place = await _place(work, campaign.id, person)
        names = await _names(work, items, extra=[campaign.fallback_id, campaign.cancelled_by])
        members = {group: {person} for group in await work.people.groups_of(person)}
        mine, answered = _to_answer(items, person, members), _answered_by(items, person)
        by_others = _newest_first(
            i for i in items if i.answer is not None and i.answer.by != person and i.is_with(person, members)
        )
        elsewhere = sorted((i for i in items if i.answer is None and not i.is_with(person, members)), key=_by_weight)
        passed = [i for i in elsewhere if i.delegated_by == person]
        moved = [
            i
            for i in elsewhere
            if i.assigned_how is AssignedHow.REASSIGNED and (i.moved_from == person or i.moved_from in members)
        ]
        ways = await self._ways(work, [*answered, *by_others])
        shown, page, pages = page_of(mine, place.page, PAGE_SIZE)
        recommended = [i for i in mine if i.recommendation is Recommendation.REVOKE]
        return Wave(
            ref=campaign.id,
            campaign_id=campaign.id,
            campaign_name=campaign.name,
            campaign_state=campaign.state,
            reviewer_id=person,
            open_rows=tuple(_row(i, place.ticks, names) for i in shown),
            open_count=len(mine),
            open_monthly=_total(mine),
            recommended_count=len(recommended),
            recommended_monthly=_total(recommended),
            answered=tuple(_row(i, {}, names, ways) for i in answered),
            answered_monthly=_total(answered),
            passed_on=tuple(_row(i, {}, names) for i in passed),
            by_others=tuple(_row(i, {}, names, ways) for i in by_others),
            moved_away=tuple(_row(i, {}, names) for i in moved),
            cancelled_by_name=names.get(campaign.cancelled_by) if campaign.cancelled_by else None,
            cancelled_at=campaign.closed_at if campaign.cancelled_by else None,
            page=page,
            pages=pages,
            page_size=PAGE_SIZE,
            due_at=campaign.due_at,
            closes_at=campaign.closes_at,
            zone=campaign.zone,
            silence=campaign.silence,
            mode=campaign.mode,
            now=self._clock.now(),
            result=result,
            fallback_name=names.get(campaign.fallback_id) if campaign.fallback_id else None,
        )

    async def inbox(self, person: PersonId) -> InboxView:
        """Return every open list of a person, and how many seats they hold themselves."""
        async with self._work.read() as work:
            who = await work.people.get(person)
            waves: list[Wave] = []
            for campaign_id in await work.items.open_campaigns_of(person):
                campaign = await work.campaigns.get(campaign_id)
                wave = await self._wave(work, campaign, person, None) if campaign else None
                if wave is not None:
                    waves.append(wave)
            own = (await work.seats.of_people([person])).get(person, ())
        return InboxView(person_name=who.shown_name if who else person, waves=tuple(waves), own_seats=len(own))

    async def inbox_page(self, person: PersonId, show: InboxShow, page: int = 1) -> InboxPage:
        """Return a person's seats over all open campaigns: those to answer, those handed to them, or their answers."""
        kinds: dict[InboxShow, list[tuple[Campaign, ReviewItem]]] = {kind: [] for kind in InboxShow}
        lists: list[tuple[CampaignId, str, int]] = []
        async with self._work.read() as work:
            members = {group: {person} for group in await work.people.groups_of(person)}
            for campaign_id in await work.items.open_campaigns_of(person):
                campaign = await work.campaigns.get(campaign_id)
                if campaign is None:
                    continue
                items = await work.items.for_reviewer(campaign_id, person)
                mine, answered = _to_answer(items, person, members), _answered_by(items, person)
                kinds[InboxShow.OPEN] += [(campaign, item) for item in mine]
                kinds[InboxShow.DELEGATED] += [(campaign, item) for item in mine if item.delegated_by]
                kinds[InboxShow.ANSWERED] += [(campaign, item) for item in answered]
                if mine:
                    lists.append((campaign_id, campaign.name, len(mine)))
            on_page, page, pages = page_of(kinds[show], page, PAGE_SIZE)
            names = await _names(work, [item for _, item in on_page])
        return InboxPage(
            show=show,
            rows=tuple(InboxRow(campaign_name=each.name, row=_row(item, {}, names)) for each, item in on_page),
            lists=tuple(lists),
            counts=tuple((kind, len(found)) for kind, found in kinds.items()),
            monthly=_total([item for _, item in kinds[InboxShow.OPEN]]),
            page=page,
            pages=pages,
            page_size=PAGE_SIZE,
            closes_at=min((each.closes_at for each, _ in kinds[InboxShow.OPEN]), default=None),
            now=self._clock.now(),
        )

    async def item(self, item_id: ItemId, viewer: PersonId) -> ItemView:
        """Return one seat in full for a person who has to do with it.

        Raises:
            NotFound: There is no such item, or it is none of this person's business.
        """
        return await self._items.ask((item_id, viewer))

    async def _read_items(self, asked: Sequence[_Asked]) -> dict[_Asked, ItemView | Exception]:
        """Read what several people look at: every decision is answered with such a card."""
        answers: dict[_Asked, ItemView | Exception] = {}
        async with self._work.read() as work:
            items = await work.items.get_many(item for item, _ in asked)
            campaigns = await work.campaigns.get_many(item.campaign_id for item in items.values())
            others = {one for each in campaigns.values() for one in (each.fallback_id, each.cancelled_by)}
            names = await _names(work, items.values(), extra=others)
            theirs: list[tuple[ReviewItem, PersonId]] = []
            for item_id, viewer in asked:
                item = items.get(item_id)
                if item is None or item.campaign_id not in campaigns:
                    answers[item_id, viewer] = NotFound("This seat is no longer here.")
                elif _is_named(item, viewer) or await work.items.concerns(item, viewer):
                    theirs.append((item, viewer))
                else:
                    answers[item_id, viewer] = NotFound(whose(item, names))
            groups = await work.people.groups_of_many(viewer for _, viewer in theirs)
            counts = await work.items.open_counts(((item.campaign_id, viewer) for item, viewer in theirs), groups)
            holders = {item.person_id for item, _ in theirs}
            seats = await work.seats.of_people(holders)
            around = _Around(
                names=names,
                newest=await work.syncs.newest_complete(),
                seats=seats,
                skus=await work.catalog.skus(seat.product_id for held in seats.values() for seat in held),
                asked_before=await work.items.of_people(holders),
                holders=await work.people.get_many(holders),
                ways=await self._ways(work, [item for item, _ in theirs]),
            )
        for item, viewer in theirs:
            campaign = campaigns[item.campaign_id]
            members = {group: {viewer} for group in groups.get(viewer, ())}
            answers[item.id, viewer] = self._view(item, campaign, viewer, members, counts[campaign.id, viewer], around)
        return answers

    def _view(
        self,
        item: ReviewItem,
        campaign: Campaign,
        viewer: PersonId,
        members: Members,
        others_open: int,
        around: _Around,
    ) -> ItemView:
        names, skus, newest = around.names, around.skus, around.newest
        back_to = item.moved_from or item.delegated_by if item.delegated_by else None
        return ItemView(
            item=item,
            campaign_name=campaign.name,
            campaign_state=campaign.state,
            silence=campaign.silence,
            mode=campaign.mode,
            closes_at=campaign.closes_at,
            zone=campaign.zone,
            now=self._clock.now(),
            viewer_id=viewer,
            assignee_name=names.get(item.assignee_id) if item.assignee_id else None,
            answered_by_name=names.get(item.answer.by) if item.answer else None,
            fallback_name=names.get(campaign.fallback_id) if campaign.fallback_id else None,
            from_name=names.get(item.delegated_by) if item.delegated_by else None,
            others_open=others_open,
            days=campaign.scope.days,
            checked_at=newest.started_at if newest else None,
            other_skus=tuple(
                sorted(
                    skus[seat.product_id].name
                    for seat in around.seats.get(item.person_id, ())
                    if seat.id != item.seat_id and seat.product_id in skus
                )
            ),
            earlier_answers=tuple(
                one.answer
                for one in around.asked_before.get(item.person_id, ())
                if one.product_id == item.product_id and one.id != item.id and one.answer is not None
            ),
            may_answer=item.is_with(viewer, members),
            may_lose_data=self._policy.may_lose_data,
            no_usage_location=item.person_id in around.holders
            and around.holders[item.person_id].usage_location is None,
            group_name=names.get(item.group_id, "a group") if item.group_id else None,
            back_to_name=names.get(back_to) if back_to else None,
            moved_by_name=names.get(item.moved_by) if item.moved_by else None,
            cancelled_by_name=names.get(campaign.cancelled_by) if campaign.cancelled_by else None,
            cancelled_at=campaign.closed_at if campaign.cancelled_by else None,
            way=around.ways.get(item.id),
        )

    async def _ways(self, work: UnitOfWork, items: Sequence[ReviewItem]) -> dict[ItemId, WayBack]:
        """Return the way back of those that are gone; before the close there is none to read."""
        gone = [item for item in items if item.outcome in VERIFIED_GONE]
        return await ways_back(work, gone, clock=self._clock, policy=self._policy) if gone else {}

    async def turn_page(self, campaign: CampaignId, person: PersonId, by: int) -> None:
        """Move the reader `by` pages; the wave clamps it to what there is."""
        async with self._work.write() as work:
            place = await _place(work, campaign, person)
            await self._put(work, campaign, person, max(1, place.page + by), place.ticks)

    async def keep_ticks(self, campaign: CampaignId, person: PersonId, ticks: Mapping[ItemId, bool]) -> None:
        """Remember the boxes of the page just seen, so that they survive paging and other devices."""
        if not ticks:
            return
        async with self._work.write() as work:
            place = await _place(work, campaign, person)
            await self._put(work, campaign, person, place.page, {**place.ticks, **ticks})

    async def untick_all(self, campaign: CampaignId, person: PersonId) -> None:
        """Clear every box of the reader's open seats."""
        async with self._work.write() as work:
            items = await work.items.for_reviewer(campaign, person)
            place = await _place(work, campaign, person)
            await self._put(work, campaign, person, place.page, {item.id: False for item in items})

    async def _put(
        self, work: UnitOfWork, campaign: CampaignId, person: PersonId, page: int, ticks: Mapping[ItemId, bool]
    ) -> None:
        state = {"page": page, "ticks": {str(item): ticked for item, ticked in ticks.items()}}
        await work.controls.put_draft(_place_ref(campaign, person), person, state, at=self._clock.now())
        await work.commit()


class _Place:
    """Where a reader left off: the page, and the boxes that they changed."""

    def __init__(self, state: Mapping[str, object]) -> None:
        page = state.get("page", 1)
        ticks = state.get("ticks", {})
        self.page = page if isinstance(page, int) else 1
        self.ticks = {ItemId(str(k)): v is True for k, v in ticks.items()} if isinstance(ticks, dict) else {}


def _place_ref(campaign: CampaignId, person: PersonId) -> str:
    return f"wave:{campaign}:{person}"


async def _place(work: UnitOfWork, campaign: CampaignId, person: PersonId) -> _Place:
    stored = await work.controls.draft(_place_ref(campaign, person))
    return _Place(stored[1] if stored else {})


def _is_named(item: ReviewItem, person: PersonId) -> bool:
    """Whether the seat itself says that it concerns this person; groups and what moved away are told by `Items.concerns`."""
    passed_on = item.delegated_by == person and item.answer is None
    answered = item.answer is not None and item.answer.by == person
    return passed_on or answered or person in (item.assignee_id, item.not_sure_by)


def _row(
    item: ReviewItem,
    ticks: Mapping[ItemId, bool],
    names: Mapping[AssigneeId, str],
    ways: Mapping[ItemId, WayBack] | None = None,
) -> WaveRow:
    default = item.recommendation is Recommendation.REVOKE
    return WaveRow(
        item=item,
        ticked=ticks.get(item.id, default) and item.can_revoke,
        from_name=names.get(item.delegated_by) if item.delegated_by else None,
        from_reason=item.assigned_reason if item.delegated_by else None,
        with_name=names.get(item.assignee_id) if item.assignee_id else None,
        back_to_name=names.get(item.moved_from or item.delegated_by) if item.delegated_by else None,
        moved_by_name=names.get(item.moved_by) if item.moved_by else None,
        answered_by_name=names.get(item.answer.by) if item.answer else None,
        way=ways.get(item.id) if ways else None,
    )


def _to_answer(items: Iterable[ReviewItem], person: PersonId, members: Members) -> list[ReviewItem]:
    return sorted((i for i in items if i.is_with(person, members) and i.answer is None), key=_by_weight)


def _answered_by(items: Iterable[ReviewItem], person: PersonId) -> list[ReviewItem]:
    return _newest_first(i for i in items if i.answer is not None and i.answer.by == person)


def _newest_first(items: Iterable[ReviewItem]) -> list[ReviewItem]:
    return sorted(items, key=lambda i: (i.answer is not None and i.answer.at, i.id), reverse=True)


def _by_weight(item: ReviewItem) -> tuple[bool, int, str, str]:
    monthly = item.snapshot.monthly
    return (
        item.recommendation is not Recommendation.REVOKE,
        -(monthly.minor if monthly else 0),
        item.snapshot.person_name.casefold(),
        item.id,
    )


def _total(items: Sequence[ReviewItem]) -> Total:
    return Total.of(item.snapshot.monthly for item in items)


async def _names(
    work: UnitOfWork, items: Iterable[ReviewItem], extra: Iterable[AssigneeId | None] = ()
) -> dict[AssigneeId, str]:
    ids: set[AssigneeId | None] = {*extra}
    for item in items:
        ids |= {item.assignee_id, item.delegated_by, item.moved_from, item.moved_by}
        ids |= {item.answer.by} if item.answer else set()
    return await names_of(work, ids)
