"""Where campaigns stand: progress, removals, money, who is still asked."""

from collections.abc import Mapping

from reclaim.domain.campaign import Campaign, CampaignState, reminder_times
from reclaim.domain.ids import AssigneeId, CampaignId
from reclaim.domain.money import Total
from reclaim.domain.notices import wave_matter
from reclaim.domain.policy import Policy
from reclaim.domain.read_models import Campaigns, CampaignStatus, ReviewerLoad
from reclaim.domain.removal import Outcome
from reclaim.domain.review import Choice, ReviewItem
from reclaim.errors import InvalidRequest, NotFound
from reclaim.ports.storage import UnitOfWork, Work
from reclaim.ports.system import Clock
from reclaim.services.naming import names_of
from reclaim.services.nudge_reviewers import whom_to_nudge

SHOWN = 3


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
        items = await work.items.of_campaign(campaign.id)
        reviewers = await work.items.reviewers(campaign.id)
        dead = set(await work.messages.unreached(wave_matter(campaign.id)))
        sent = await work.messages.counts(wave_matter(campaign.id))
        freeze = await work.controls.freeze()
        ids: list[AssigneeId | None] = [campaign.owner_id, campaign.cancelled_by, campaign.abandoned_by, *dead]
        names = await names_of(work, [*ids, *(one.assignee_id for one in reviewers)])
        by_choice = {choice: [i for i in items if i.answer and i.answer.choice is choice] for choice in Choice}
        unsure = [i for i in items if i.answer is None and i.not_sure_by is not None]
        removed = [i for i in items if i.outcome is Outcome.REMOVED]
        now = self._clock.now()
        due = await whom_to_nudge(work, campaign, now, reviewers)
        times = [at for at in reminder_times(campaign, self._policy.reminder_before) if at > now]
        decided = len(by_choice[Choice.REVOKE]) + len(by_choice[Choice.KEEP]) + len(by_choice[Choice.NOT_SURE])
        return CampaignStatus(
            campaign_id=campaign.id,
            name=campaign.name,
            state=campaign.state,
            mode=campaign.mode,
            owner_name=names.get(campaign.owner_id, campaign.owner_id),
            items=len(items),
            revoke=len(by_choice[Choice.REVOKE]),
            keep=len(by_choice[Choice.KEEP]),
            not_sure=len(by_choice[Choice.NOT_SURE]) + len(unsure),
            open=len(items) - decided - len(unsure),
            approved=_total(by_choice[Choice.REVOKE]),
            reviewers=len(reviewers),
            reviewers_done=sum(1 for one in reviewers if one.open == 0),
            open_with=_loads(reviewers_open={r.assignee_id: r.open for r in reviewers if r.open}, names=names),
            unreachable=tuple(sorted(names.get(person, person) for person in dead)),
            messages_sent=sum(n for state, n in sent.items() if state in ("sent", "updated")),
            outcomes=_outcomes(items),
            waiting=_waiting(items),
            removing=sum(1 for i in items if i.waiting is not None or i.outcome is Outcome.REMOVED),
            verified_count=len(removed),
            verified=_total(removed),
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
        )


def _total(items: list[ReviewItem]) -> Total:
    return Total.of(item.snapshot.monthly for item in items)


def _loads(reviewers_open: Mapping[AssigneeId, int], names: Mapping[AssigneeId, str]) -> tuple[ReviewerLoad, ...]:
    loads = [
        ReviewerLoad(assignee_id=person, name=names.get(person, person), seats=seats)
        for person, seats in reviewers_open.items()
    ]
    return tuple(sorted(loads, key=lambda load: (-load.seats, load.name)))


def _outcomes(items: list[ReviewItem]) -> tuple[tuple[Outcome, int], ...]:
    counts = {outcome: sum(1 for i in items if i.outcome is outcome) for outcome in Outcome}
    return tuple((outcome, number) for outcome, number in counts.items() if number)


def _waiting(items: list[ReviewItem]) -> tuple[tuple[str, int], ...]:
    counts: dict[str, int] = {}
    for item in items:
        if item.waiting is not None and item.outcome is None:
            counts[item.waiting.value] = counts.get(item.waiting.value, 0) + 1
    return tuple(sorted(counts.items()))
