"""Remind those who have open seats, because somebody asks for it; nobody more than once in 24 hours."""

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
from reclaim.services.find_person import find_person
from reclaim.services.jobs import nudge_job

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
    reminded = await work.messages.reminded(campaign.id)
    waiting = tuple(one for one in asked if one in reminded and now < reminded[one] + AT_MOST_EVERY)
    spared = frozenset(waiting)
    return Nudgeable(
        people=tuple(one for one in asked if one not in spared),
        waiting=waiting,
        next_at=min((reminded[one] + AT_MOST_EVERY for one in waiting), default=None),
    )


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
        async with self._work.write() as work:
            campaign = await work.campaigns.get(campaign_id)
            if campaign is None:
                raise NotFound("There is no such campaign.")
            if campaign.state is not CampaignState.OPEN:
                raise Conflict(f"{campaign.name} is {campaign.state.value}. People are reminded only while it is open.")
            found = await whom_to_nudge(work, campaign, now)
            people, waiting, next_at = found.people, found.waiting, found.next_at
            if person is not None:
                one = await find_person(work, person)
                if one.id not in (*people, *waiting):
                    raise InvalidRequest(f"{one.shown_name} has no open seat in {campaign.name}.", field="person")
                people = tuple(each for each in people if each == one.id)
                waiting = tuple(each for each in waiting if each == one.id)
                if waiting:
                    next_at = (await work.messages.reminded(campaign_id))[one.id] + AT_MOST_EVERY
            occasion = self._tokens.new_id()
            for each in people:
                await work.enqueue(nudge_job(campaign_id, each, actor.id, occasion))
            if people:
                await work.messages.mark_reminded(campaign_id, people, at=now)
                await work.events.append(
                    self._attest.event(
                        EventKind.NUDGED,
                        actor=actor.id,
                        campaign=campaign_id,
                        facts={"people": len(people), "waiting": len(waiting), "channel": actor.channel},
                    )
                )
                await work.commit()
        return Nudged(campaign_id=campaign_id, reminded=len(people), waiting=len(waiting), next_at=next_at)
