"""The list of idle seats behind a SKU: where a reader stands in it, and what they have ticked so far.

The place is in the buttons' reference; what is ticked is in a campaign draft of the reader, so it survives paging.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from bot.handling import Asked
from bot.start_form import new_draft
from cards.spend import seats_card
from cards.view import CardView
from reclaim.domain.campaign import Scope
from reclaim.domain.idle import Rule
from reclaim.domain.ids import ProductId, SeatId
from reclaim.domain.read_models import SeatFilter
from reclaim.domain.roles import RUN_AS_A_PERSON
from reclaim.errors import InvalidRequest
from reclaim.services.campaign_draft import CampaignDraft

_NONE: Final = "-"
_UNREADABLE = "We cannot read this button. Open the list again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in which list. `draft` None: the reader may not start a campaign, so there is nothing to tick."""

    product: ProductId | None = None
    days: int = 90
    rule: Rule | None = None
    page: int = 1
    draft: str | None = None

    @property
    def filter(self) -> SeatFilter:
        """Which seats are listed."""
        return SeatFilter(product_id=self.product, days=self.days, rules=(self.rule,) if self.rule else ())

    def encode(self) -> str:
        """Return the reference for a button."""
        rule = self.rule.value if self.rule else _NONE
        return f"{self.draft or _NONE}:{self.product or _NONE}:{self.days}:{rule}:{self.page}"


def decode(ref: str) -> Place:
    """Read the reference of a button; it comes back untrusted.

    Raises:
        InvalidRequest: It is none of ours.
    """
    parts = ref.split(":")
    if len(parts) != 5 or not all(
        part.isascii() and part.isdecimal() and len(part) <= 4 for part in (parts[2], parts[4])
    ):
        raise InvalidRequest(_UNREADABLE)
    draft, product, days, rule, page = parts
    try:
        found = None if rule == _NONE else Rule(rule)
    except ValueError as error:
        raise InvalidRequest(_UNREADABLE) from error
    return Place(
        product=None if product == _NONE else ProductId(product),
        days=int(days),
        rule=found,
        page=int(page),
        draft=None if draft == _NONE else draft,
    )


async def opened(asked: Asked, place: Place) -> Place:
    """Return the place with a draft for what is ticked, if the reader may start a campaign."""
    if not asked.actor.may(RUN_AS_A_PERSON):
        return place
    draft = new_draft(asked)
    await asked.services.start_campaign.put_draft(asked.actor, replace(draft, scope=Scope(days=place.days)))
    return replace(place, draft=draft.ref)


async def draw(asked: Asked, place: Place) -> CardView:
    """Draw the list at this place."""
    page = await asked.services.read_seats.page(place.filter, place.page)
    here = replace(place, page=page.page)
    may_start = place.draft is not None and asked.actor.may(RUN_AS_A_PERSON)
    taken = frozenset(await taken_at(asked, place)) if may_start else frozenset()
    return seats_card(page, asked.zone, place=_targets(here), taken=taken, may_start=may_start)


async def taken_at(asked: Asked, place: Place) -> tuple[SeatId, ...]:
    """Return what the reader has ticked so far."""
    return tuple(SeatId(seat) for seat in (await draft_of(asked, place)).scope.seat_ids)


async def draft_of(asked: Asked, place: Place) -> CampaignDraft:
    """Return the draft behind the list.

    Raises:
        InvalidRequest: There is none.
    """
    if place.draft is None:
        raise InvalidRequest(_UNREADABLE)
    return await asked.services.start_campaign.draft(place.draft, asked.actor)


async def keep_ticks(asked: Asked, place: Place, ticks: Mapping[str, bool]) -> CampaignDraft:
    """Add the boxes of the page just seen to what was ticked before.

    Raises:
        InvalidRequest: More than a campaign may hold.
    """
    draft = await draft_of(asked, place)
    seats = [seat for seat in draft.scope.seat_ids if seat not in ticks]
    return await put_seats(asked, draft, place, [*seats, *(seat for seat, ticked in ticks.items() if ticked)])


async def put_seats(asked: Asked, draft: CampaignDraft, place: Place, seats: list[str]) -> CampaignDraft:
    """Store what is ticked.

    Raises:
        InvalidRequest: More than a campaign may hold.
    """
    limit = asked.services.policy.limits.hard_seats
    if len(seats) > limit:
        raise InvalidRequest(f"These are {len(seats):,} seats. A campaign takes {limit:,} at most. Narrow the list.")
    chosen = replace(draft, scope=Scope(days=place.days, seat_ids=tuple(sorted(set(seats)))))
    if chosen != draft:
        await asked.services.start_campaign.put_draft(asked.actor, chosen)
    return chosen


async def every_seat(asked: Asked, place: Place) -> list[str]:
    """Return all seats of the list, over all its pages.

    Raises:
        InvalidRequest: More than a campaign may hold.
    """
    first = await asked.services.read_seats.page(place.filter, 1)
    limit = asked.services.policy.limits.hard_seats
    if first.total > limit:
        raise InvalidRequest(f"These are {first.total:,} seats. A campaign takes {limit:,} at most. Narrow the list.")
    seats: list[str] = [row.seat_id for row in first.rows]
    for number in range(2, first.pages + 1):
        seats += [row.seat_id for row in (await asked.services.read_seats.page(place.filter, number)).rows]
    return seats


def _targets(place: Place) -> dict[str, str]:
    first = replace(place, page=1)
    return {
        "here": place.encode(),
        "previous": replace(place, page=max(1, place.page - 1)).encode(),
        "next": replace(place, page=place.page + 1).encode(),
        "all": replace(first, rule=None).encode(),
        Rule.DISABLED.value: replace(first, rule=Rule.DISABLED).encode(),
        Rule.NEVER_SEEN.value: replace(first, rule=Rule.NEVER_SEEN).encode(),
        "days90": replace(first, days=90).encode(),
    }
