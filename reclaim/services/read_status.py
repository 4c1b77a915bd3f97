"""Where campaigns stand: progress, removals, money, who is still asked."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import reduce

from reclaim.domain.appeals import AppealState
from reclaim.domain.campaign import Campaign, CampaignState, reminder_times
from reclaim.domain.directory import AssigneeKind
from reclaim.domain.ids import AssigneeId, CampaignId, GroupId, PersonId
from reclaim.domain.money import Money, Total
from reclaim.domain.notices import wave_matter
from reclaim.domain.paging import page_of
from reclaim.domain.policy import Policy
from reclaim.domain.read_models import Campaigns, CampaignStatus, ReviewerLoad, ReviewerProgress, ReviewersPage
from reclaim.domain.removal import VERIFIED_GONE, Outcome
from reclaim.domain.restore import Returned
from reclaim.domain.review import Choice, Waiting
from reclaim.domain.savings import Stage
from reclaim.errors import InvalidRequest, NotFound
from reclaim.ports.storage import ItemFigure, ReversalFigure, UnitOfWork, Work
from reclaim.ports.system import Clock
from reclaim.services.naming import names_of
from reclaim.services.nudge_reviewers import whom_to_nudge
from reclaim.services.reduce_orders import orders_to_reduce

SHOWN = 3
MOST_OPEN = 20  # reviewers with open seats that are named; how many there are is `reviewers` less `reviewers_done`
REVIEWERS_A_PAGE = 10
_PACE_FROM = 3  # removals that make a pace


class ReadStatus:
    """Reads; changes nothing."""

    def __init__(self, *, work: Work, clock: Clock, policy: Policy) -> None:
        self._work = work
        self._clock = clock
        self._policy = policy

    async def status(self, campaign: CampaignId) -> CampaignStatus:
        """Return the progress of one campaign.

        Raises:
            NotFound: There is no such campaign.
        """
        async with self._work.read() as work:
            found = await work.campaigns.get(campaign)
            if found is None:
                raise NotFound("There is no such campaign.")
            return await self._status(work, found)

    async def campaigns(self) -> Campaigns:
        """Return every campaign, newest first, and what is idle now."""
        async with self._work.read() as work:
            rows = [await self._status(work, campaign) for campaign in await work.campaigns.all()]
            now = self._clock.now()
            idle = await work.findings.tally(days=self._policy.idle_days, now=now)
            prices = await work.catalog.prices(now)
        total = Total()
        for product, seats in idle.items():
            price = prices.get(product)
            amounts = (price.monthly.times(seats),) if price else ()
            total = total.plus(Total(amounts=amounts, unpriced=0 if price else seats))
        return Campaigns(rows=tuple(rows), idle=sum(idle.values()), total=total)

    async def reviewers(self, campaign: CampaignId, page: int = 1) -> ReviewersPage:
        """Return a page of the campaign's reviewers, those with most open seats first; `page` from 1 is kept in bounds.

        Raises:
            NotFound: There is no such campaign.
        """
        async with self._work.read() as work:
            found = await work.campaigns.get(campaign)
            if found is None:
                raise NotFound("There is no such campaign.")
            counts = sorted(
                await work.items.reviewers(campaign), key=lambda one: (-one.open, -one.total, one.assignee_id)
            )
            shown, page, pages = page_of(counts, page, REVIEWERS_A_PAGE)
            names = await names_of(work, (one.assignee_id for one in shown))
            members = await work.people.reviewers_in(
                {GroupId(one.assignee_id) for one in shown if one.kind is AssigneeKind.GROUP}
            )
            unreached = set(await work.messages.unreached(wave_matter(campaign)))
            reminded = await work.messages.reminded(campaign)
        rows = []
        for one in shown:
            of_group = one.kind is AssigneeKind.GROUP
            people = members.get(GroupId(one.assignee_id), frozenset()) if of_group else {PersonId(one.assignee_id)}
            rows.append(
                ReviewerProgress(
                    assignee_id=one.assignee_id,
                    name=names.get(one.assignee_id, one.assignee_id),
                    seats=one.total,
                    open=one.open,
                    last_reminded_at=max((reminded[person] for person in people if person in reminded), default=None),
                    reached=bool(people - unreached),
                )
            )
        return ReviewersPage(
            campaign_id=found.id,
            campaign_name=found.name,
            campaign_state=found.state,
            closes_at=found.closes_at,
            rows=tuple(rows),
            page=page,
            pages=pages,
            page_size=REVIEWERS_A_PAGE,
            total=len(counts),
        )

    async def find(self, text: str | None) -> Campaign:
        """Return the campaign that is meant: by id, by name, or, for None, the newest one that runs, else the newest.

        Raises:
            NotFound: There is none, or none of that name.
            InvalidRequest: Several match; the message names them.
        """
        async with self._work.read() as work:
            everything = await work.campaigns.all()
        if not everything:
            raise NotFound("There is no campaign yet. Start one with /reclaim start.")
        if text is None or not text.strip():
            running = [c for c in everything if c.state not in (CampaignState.CLOSED, CampaignState.CANCELLED)]
            return (running or everything)[0]
        wanted = text.strip().casefold()
        exact = [c for c in everything if wanted in (c.id, c.name.casefold())]
        close = exact or [c for c in everything if c.id.startswith(wanted) or wanted in c.name.casefold()]
        if not close:
            names = ", ".join(f"“{c.name}”" for c in everything[:SHOWN])
            raise NotFound(f"No campaign is called “{text.strip()}”. There is {names}.")
        if len(close) > 1 and len({c.name for c in close}) > 1:
            names = ", ".join(f"“{c.name}”" for c in close[:SHOWN])
            raise InvalidRequest(f"“{text.strip()}” fits several campaigns: {names}. Please name one.")
        return close[0]

    async def _status(self, work: UnitOfWork, campaign: Campaign) -> CampaignStatus:
        figures = await work.items.figures(campaign.id)
        reviewers = await work.items.reviewer_figures(campaign.id, top=MOST_OPEN)
        dead = await work.messages.unreached(wave_matter(campaign.id))
        sent = await work.messages.counts(wave_matter(campaign.id))
        freeze = await work.controls.freeze()
        ids: list[AssigneeId | None] = [campaign.owner_id, campaign.cancelled_by, campaign.abandoned_by, *dead]
        names = await names_of(work, [*ids, *(one.assignee_id for one in reviewers.open_with)])
        removed = [one for one in figures if one.outcome is Outcome.REMOVED]
        by_hand = [one for one in figures if one.outcome is Outcome.MANUAL_DONE]
        gone = [*removed, *by_hand]
        back = await work.restores.reversal_figures(campaign.id)
        wanted = await work.restores.ask_back_figures(campaign.id)
        appeals = await work.appeals.counts(campaign.id)
        now = self._clock.now()
        due = await whom_to_nudge(work, campaign, now)
        times = [at for at in reminder_times(campaign, self._policy.reminder_before) if at > now]
        by_choice = {choice: [one for one in figures if one.choice is choice] for choice in Choice}
        unanswered = [one for one in figures if one.choice is None]
        return CampaignStatus(
            campaign_id=campaign.id,
            name=campaign.name,
            state=campaign.state,
            mode=campaign.mode,
            owner_name=names.get(campaign.owner_id, campaign.owner_id),
            items=_items(figures),
            revoke=_items(by_choice[Choice.REVOKE]),
            keep=_items(by_choice[Choice.KEEP]),
            not_sure=_items(by_choice[Choice.NOT_SURE]) + _items(one for one in unanswered if one.second_look),
            open=_items(one for one in unanswered if not one.second_look),
            potential=_total(figures),
            approved=_total(by_choice[Choice.REVOKE]),
            removed=_total(
                one for one in figures if one.outcome is None and one.waiting is Waiting.PENDING_VERIFICATION
            ),
            reviewers=reviewers.total,
            reviewers_done=reviewers.done,
            open_with=tuple(
                ReviewerLoad(
                    assignee_id=one.assignee_id, name=names.get(one.assignee_id, one.assignee_id), seats=one.open
                )
                for one in reviewers.open_with
            ),
            unreachable=tuple(sorted(names.get(person, person) for person in dead)),
            messages_sent=sum(n for state, n in sent.items() if state in ("sent", "updated")),
            outcomes=_outcomes(figures),
            waiting=_waiting(figures),
            removing=_items(one for one in figures if one.waiting is not None or one.outcome in VERIFIED_GONE)
            - _items(back),
            verified_count=_items(gone) - _items(back),
            verified=_less(_total(gone), _total(back)),
            by_hand=_still_gone(by_hand, [one for one in back if one.outcome is Outcome.MANUAL_DONE]),
            minutes_left=_minutes_left(
                campaign,
                await work.items.first_removed_at(campaign.id) if campaign.state is CampaignState.APPLYING else None,
                _items(removed),
                _items(one for one in figures if one.waiting is not None),
                now,
            ),
            due_at=campaign.due_at,
            closes_at=campaign.closes_at,
            next_reminder_at=min(times) if times and campaign.state is CampaignState.OPEN else None,
            zone=campaign.zone,
            now=now,
            frozen_since=freeze.at if freeze else None,
            pause_reason=campaign.pause_reason,
            abandoned_by_name=names.get(campaign.abandoned_by) if campaign.abandoned_by else None,
            cancelled_by_name=names.get(campaign.cancelled_by, campaign.cancelled_by)
            if campaign.cancelled_by
            else None,
            cancelled_at=campaign.closed_at if campaign.cancelled_by else None,
            cancel_reason=campaign.cancel_reason,
            nudgeable=len(due.people),
            realised=await work.savings.realised_stage(campaign.id) if gone else Stage(),
            reduce=await orders_to_reduce(work, campaign.id, self._policy, now) if gone else (),
            restored_count=_items(one for one in back if one.how is Returned.RESTORED),
            regranted_count=_items(one for one in back if one.how is Returned.REGRANTED),
            reversed=_total(back),
            asked_back=wanted.wanted_back,
            appeals=sum(appeals.values()),
            appeals_open=appeals.get(AppealState.OPEN, 0),
        )


def _still_gone(gone: Sequence[ItemFigure], back: Sequence[ReversalFigure]) -> Stage:
    return Stage(seats=_items(gone) - _items(back), monthly=_less(_total(gone), _total(back)))


def _less(total: Total, back: Total) -> Total:
    """Return what of a sum is left without the part that was reversed."""
    lost = {amount.currency: amount.minor for amount in back.amounts}
    kept = [Money(amount.minor - lost.get(amount.currency, 0), amount.currency) for amount in total.amounts]
    return Total(amounts=tuple(one for one in kept if one.minor), unpriced=total.unpriced - back.unpriced)


def _items(figures: Iterable[ItemFigure | ReversalFigure]) -> int:
    return sum(figure.items for figure in figures)


def _total(figures: Iterable[ItemFigure | ReversalFigure]) -> Total:
    return reduce(Total.plus, (figure.monthly for figure in figures), Total())


def _minutes_left(campaign: Campaign, since: datetime | None, removed: int, waiting: int, now: datetime) -> int | None:
    """Return how long what waits will take at the pace since the first removal; None before there is a pace."""
    elapsed = (now - since).total_seconds() if since is not None else 0.0
    if campaign.state is not CampaignState.APPLYING or not waiting or removed < _PACE_FROM or elapsed <= 0:
        return None
    return max(1, math.ceil(elapsed / (removed - 1) * waiting / 60))


def _outcomes(figures: Iterable[ItemFigure]) -> tuple[tuple[Outcome, int], ...]:
    counts = Counter[Outcome]()
    for figure in figures:
        if figure.outcome is not None:
            counts[figure.outcome] += figure.items
    return tuple((outcome, counts[outcome]) for outcome in Outcome if counts[outcome])


def _waiting(figures: Iterable[ItemFigure]) -> tuple[tuple[str, int], ...]:
    counts = Counter[str]()
    for figure in figures:
        if figure.waiting is not None and figure.outcome is None:
            counts[figure.waiting.value] += figure.items
    return tuple(sorted(counts.items()))
