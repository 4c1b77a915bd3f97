"""Remind those who have open seats, because somebody asks for it; nobody more than once in 24 hours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from reclaim.domain.attestation import EventKind
from reclaim.domain.campaign import Campaign, CampaignState
from reclaim.domain.ids import CampaignId, PersonId
from reclaim.domain.read_models import Nudged
from reclaim.domain.roles import Actor
from reclaim.errors import Conflict, InvalidRequest, NotFound
from reclaim.ports.storage import UnitOfWork, Work
from reclaim.ports.system import Clock, Tokens
from reclaim.services.attesting import Attestor
from reclaim.services.chunks import JOBS, in_chunks
from reclaim.services.find_person import find_person
from reclaim.services.jobs import nudge_all_job

AT_MOST_EVERY = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Nudgeable:
    """Whom a reminder by hand would reach now.

    Attributes:
        people: Those with open seats who were not reminded in the last 24 hours.
        waiting: Those with open seats who were.
        next_at: When the first of `waiting` may be reminded again.
    """

    people: tuple[PersonId, ...]
    waiting: tuple[PersonId, ...]
    next_at: datetime | None


async def whom_to_nudge(work: UnitOfWork, campaign: Campaign, now: datetime) -> Nudgeable:
    """Return who would be reminded now; automatic reminders count as well."""
    if campaign.state is not CampaignState.OPEN:
        return Nudgeable(people=(), waiting=(), next_at=None)
    asked = await work.items.asked(campaign.id, open_only=True)
    return _split(asked, await work.messages.reminded(campaign.id), now)


class NudgeReviewers:
    """Sends the list again, at the foot of the chat."""

    def __init__(self, *, work: Work, clock: Clock, tokens: Tokens) -> None:
        self._work = work
        self._clock = clock
        self._tokens = tokens
        self._attest = Attestor(clock=clock, tokens=tokens)

    async def nudge(self, actor: Actor, campaign_id: CampaignId, person: str | None = None) -> Nudged:
        """Remind everybody with open seats in the campaign, or one person.

        Args:
            person: A name, an address or an id.

        Raises:
            NotFound: There is no such campaign or person.
            Conflict: The campaign is not open.
            InvalidRequest: The person has no open seat in it, or several people match.
        """
        now = self._clock.now()
        # Read before the write lock is taken: it looks at every open seat, and answers must not wait for that.
        async with self._work.read() as reading:
            campaign = await _open(reading, campaign_id)
            found = await whom_to_nudge(reading, campaign, now)
            wanted = frozenset((*found.people, *found.waiting))
            if person is not None:
                one = await find_person(reading, person)
                if one.id not in wanted:
                    raise InvalidRequest(f"{one.shown_name} has no open seat in {campaign.name}.", field="person")
                wanted = frozenset({one.id})
        async with self._work.write() as work:
            await _open(work, campaign_id)
            split = _split(sorted(wanted), await work.messages.reminded(campaign_id), now)
            if split.people:
                occasion = self._tokens.new_id()
                for number, some in enumerate(in_chunks(split.people, JOBS)):
                    await work.enqueue(nudge_all_job(campaign_id, some, actor.id, f"{occasion}-{number}"))
                await work.messages.mark_reminded(campaign_id, split.people, at=now)
                await work.events.append(
                    self._attest.event(
                        EventKind.NUDGED,
                        actor=actor.id,
                        campaign=campaign_id,
                        facts={
                            "people": len(split.people),
                            "waiting": len(split.waiting),
                            "channel": actor.channel,
                        },
                    )
                )
                await work.commit()
        return Nudged(
            campaign_id=campaign_id,
            reminded=len(split.people),
            waiting=len(split.waiting),
            next_at=split.next_at,
        )


async def _open(work: UnitOfWork, campaign_id: CampaignId) -> Campaign:
    campaign = await work.campaigns.get(campaign_id)
    if campaign is None:
        raise NotFound("There is no such campaign.")
    if campaign.state is not CampaignState.OPEN:
        raise Conflict(f"{campaign.name} is {campaign.state.value}. People are reminded only while it is open.")
    return campaign


def _split(asked: Sequence[PersonId], reminded: Mapping[PersonId, datetime], now: datetime) -> Nudgeable:
    """Tell those who may be reminded from those who were in the last 24 hours."""
    again = {one: reminded[one] + AT_MOST_EVERY for one in asked if one in reminded}
    waiting = tuple(one for one in asked if one in again and now < again[one])
    spared = frozenset(waiting)
    return Nudgeable(
        people=tuple(one for one in asked if one not in spared),
        waiting=waiting,
        next_at=min((again[one] for one in waiting), default=None),
    )
