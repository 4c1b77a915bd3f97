"""The books of a campaign: its rows against its own attestation events, and against the rules that hold at any time.

Nothing here asks the product to judge itself: the events are replayed by a few lines of our own, and each complaint names
what it found. The crash tests and the state machine audit with it, at any moment and once more at the end.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from reclaim.domain.attestation import EventKind
from reclaim.domain.campaign import Campaign, CampaignState
from reclaim.domain.directory import Person
from reclaim.domain.ids import PersonId, SeatId
from reclaim.domain.orders import OrderState, RemovalOrder, StepState
from reclaim.domain.removal import Outcome
from reclaim.domain.review import ReviewItem
from reclaim.ports.storage import StoredEvent, Work

_ENDINGS = (EventKind.ITEM_ENDED, EventKind.REMOVAL_VERIFIED)
_MOVES = (
    EventKind.ITEM_ASSIGNED,
    EventKind.ITEM_DELEGATED,
    EventKind.ITEM_TAKEN_BACK,
    EventKind.ITEM_GIVEN_BACK,
    EventKind.ITEM_REASSIGNED,
)
_DECISIONS = (EventKind.DECISION_MADE, EventKind.DECISION_WITHDRAWN)


@dataclass(frozen=True)
class Books:
    """One campaign with everything that is written down about it."""

    campaign: Campaign
    items: Sequence[ReviewItem]
    orders: Sequence[RemovalOrder]
    events: Sequence[StoredEvent]

    def told(self, *kinds: EventKind) -> list[dict[str, Any]]:
        """Return the bodies of these events, oldest first."""
        return [json.loads(one.event.body) for one in self.events if one.event.kind in kinds]


@dataclass
class _Replayed:
    """An item as its events tell it."""

    assignee: str | None = None
    choice: str | None = None
    outcome: str | None = None
    verified: int = 0
    kinds: list[str] = field(default_factory=list)


async def open_books(work: Work) -> list[Books]:
    """Return the books of every campaign, newest first."""
    async with work.read() as unit:
        return [
            Books(
                campaign=campaign,
                items=await unit.items.of_campaign(campaign.id),
                orders=await unit.orders.of_campaign(campaign.id),
                events=await unit.events.of_campaign(campaign.id),
            )
            for campaign in await unit.campaigns.all()
        ]


async def audit(work: Work) -> list[Books]:
    """Hold the books of every campaign to all that must be true at any time."""
    found = await open_books(work)
    async with work.read() as unit:
        names = await unit.people.get_many({PersonId(i.person_id) for books in found for i in books.items})
    complaints = [complaint for books in found for complaint in _complaints(books, names)]
    complaints += _asked_twice(found)
    assert not complaints, complaints
    return found


def _complaints(books: Books, names: dict[PersonId, Person]) -> Iterator[str]:
    yield from _population_adds_up(books)
    yield from _items_are_what_their_events_say(books)
    yield from _every_call_had_an_intent_and_an_end(books)
    yield from _a_removal_has_its_whole_trail(books)
    yield from _nothing_is_left_at_the_end(books)
    yield from _bodies_name_nobody(books, names)


def _asked_twice(found: Sequence[Books]) -> Iterator[str]:
    """Rule 9: one open question per person and product over all campaigns."""
    open_ones: Counter[SeatId] = Counter()
    for books in found:
        for seat, number in Counter(item.seat_id for item in books.items).items():
            if number > 1:
                yield f"{seat} is asked about twice in {books.campaign.name}"
        if books.campaign.state in (CampaignState.OPENING, CampaignState.OPEN, CampaignState.CLOSING):
            open_ones.update(item.seat_id for item in books.items)
    yield from (f"{seat} is asked about in two campaigns" for seat, number in open_ones.items() if number > 1)


def _population_adds_up(books: Books) -> Iterator[str]:
    """Every idle seat at the launch is an item or left out for one reason; what opened is a part of that."""
    for started in books.told(EventKind.CAMPAIGN_STARTED):
        facts = started["facts"]
        left_out = sum(number for name, number in facts.items() if name.startswith("left_out_"))
        if facts["items"] + left_out != facts["idle"]:
            yield f"{facts['items']} items and {left_out} left out are not {facts['idle']} idle seats"
        if len(books.items) > facts["items"]:
            yield f"{len(books.items)} items, {facts['items']} launched"
    opened = books.told(EventKind.CAMPAIGN_OPENED)
    if len(opened) > 1:
        yield "opened twice"
    if opened and opened[0]["facts"]["items"] != len(books.items):
        yield f"opened with {opened[0]['facts']['items']} items, has {len(books.items)}"
    before_open = (CampaignState.DRAFT, CampaignState.OPENING, CampaignState.CANCELLED)
    if not opened and books.campaign.state not in before_open:
        yield f"{books.campaign.state} without having opened"


def _items_are_what_their_events_say(books: Books) -> Iterator[str]:
    replayed: dict[str, _Replayed] = defaultdict(_Replayed)
    for body in books.told(*_MOVES, *_DECISIONS, *_ENDINGS):
        one, facts = replayed[body["item"]], body["facts"]
        one.kinds.append(body["kind"])
        match EventKind(body["kind"]):
            case EventKind.ITEM_ASSIGNED:
                one.assignee = facts["assignee"]
            case EventKind.DECISION_MADE:
                moved = facts["moved_to"]
                one.assignee, one.choice = moved or one.assignee, None if moved else facts["choice"]
            case EventKind.DECISION_WITHDRAWN:
                one.choice = None
            case EventKind.ITEM_ENDED | EventKind.REMOVAL_VERIFIED:
                one.outcome = facts["outcome"]
                one.verified += body["kind"] == EventKind.REMOVAL_VERIFIED
            case _:
                one.assignee = facts["to"]
    for item in books.items:
        one = replayed[item.id]
        if one.kinds.count(EventKind.ITEM_ASSIGNED) != 1:
            yield f"{item.id} was assigned {one.kinds.count(EventKind.ITEM_ASSIGNED)} times"
        if one.assignee != item.assignee_id:
            yield f"{item.id} is with {item.assignee_id}, its events say {one.assignee}"
        if one.choice != (item.answer.choice if item.answer else None):
            yield f"{item.id} is answered {item.answer}, its events say {one.choice}"
        if item.outcome is not None and one.outcome != item.outcome:
            yield f"{item.id} ended {item.outcome}, its events say {one.outcome}"
        if item.outcome is None and one.outcome not in (None, Outcome.FAILED):  # failed: it is tried again
            yield f"{item.id} has no outcome, its events say {one.outcome}"
        if one.verified != (item.outcome is Outcome.REMOVED):
            yield f"{item.id} ended {item.outcome} and was verified {one.verified} times"
    strangers = replayed.keys() - {item.id for item in books.items}
    yield from (f"events about {item}, which is no item" for item in strangers)


def _every_call_had_an_intent_and_an_end(books: Books) -> Iterator[str]:
    trail: dict[str, list[str]] = defaultdict(list)
    kinds = (EventKind.REMOVAL_INTENDED, EventKind.REMOVAL_WRITTEN, EventKind.REMOVAL_FAILED)
    for body in books.told(*kinds):
        trail[body["facts"]["step"]].append(body["kind"])
    for order in books.orders:
        if len({step.step for step in order.steps}) != len(order.steps):
            yield f"order {order.id} takes the same thing twice"
        for step in order.steps:
            intents = trail[step.id].count(EventKind.REMOVAL_INTENDED)
            ends = len(trail[step.id]) - intents
            under_way = step.state is StepState.INTENDED
            # A failure that may have landed is told at once, and what a read found out about it is told as well.
            if ends < intents - under_way:
                yield f"step {step.id} was intended {intents} times and ended {ends} times"
            if trail[step.id].count(EventKind.REMOVAL_WRITTEN) > 1 and not _was_tried_again(books):
                yield f"step {step.id} was written twice"
            if step.attempt != intents:
                yield f"step {step.id} says attempt {step.attempt} and was intended {intents} times"
    doubles = [person for person, number in Counter(order.person_id for order in books.orders).items() if number > 1]
    yield from (f"{person} has two orders" for person in doubles)


def _was_tried_again(books: Books) -> bool:
    return any("retried" in body["facts"] for body in books.told(EventKind.CAMPAIGN_RESUMED))


def _a_removal_has_its_whole_trail(books: Books) -> Iterator[str]:
    trail: dict[str, list[str]] = defaultdict(list)
    for body in books.told(*EventKind):
        if body["item"] is not None:
            trail[body["item"]].append(body["kind"])
    whole = (
        EventKind.REMOVAL_PLANNED,
        EventKind.REMOVAL_INTENDED,
        EventKind.REMOVAL_WRITTEN,
        EventKind.REMOVAL_VERIFIED,
    )
    for item in books.items:
        if item.outcome is not Outcome.REMOVED:
            continue
        places = [trail[item.id].index(kind) if kind in trail[item.id] else -1 for kind in whole]
        if -1 in places or places != sorted(places):
            yield f"{item.id} is removed, its trail is {trail[item.id]}"


def _nothing_is_left_at_the_end(books: Books) -> Iterator[str]:
    if books.campaign.state is CampaignState.CANCELLED and books.orders:
        yield "cancelled, and something was to be removed"
    if books.campaign.state is not CampaignState.CLOSED:
        return
    ends = [body["kind"] for body in books.told(EventKind.CAMPAIGN_CLOSED, EventKind.CAMPAIGN_RESUMED)]
    if not ends or ends[-1] != EventKind.CAMPAIGN_CLOSED or len(books.told(EventKind.CAMPAIGN_CLOSING)) != 1:
        yield f"closed, and its events say {ends}"
    for item in books.items:
        if item.outcome is None or item.waiting is not None:
            yield f"{item.id} is left {item.waiting} with {item.outcome} in a {books.campaign.state} campaign"
    failed = {item.id for item in books.items if item.outcome is Outcome.FAILED}
    for order in books.orders:
        if order.state is not OrderState.DONE:
            yield f"order {order.id} is left {order.state}"
        for step in order.steps:
            # What was written and could not be read for days stays as it is: a retry reads it first.
            if step.state is StepState.INTENDED or (step.state is StepState.WRITTEN and step.item_id not in failed):
                yield f"step {step.id} is left {step.state}"


def _bodies_name_nobody(books: Books, names: dict[PersonId, Person]) -> Iterator[str]:
    """Rule 10: ids, numbers, enums and hashes; a name lives in an erasable row."""
    for stored in books.events:
        body = stored.event.body.decode("ascii")
        for person in names.values():
            if person.shown_name in body or person.upn in body:
                yield f"{stored.event.kind} names {person.id}"
