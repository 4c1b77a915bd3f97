"""An appeal: the holder of a seat that was taken away asks, in one sentence, for a person to look again.

It goes to one person, and once more to those who run campaigns where that person does not answer; after that the seat stays
removed. The seat comes back by an ordinary restore (`domain.restore`), so the window, the free seat and all else hold as
there. Nothing in here knows campaigns: whatever takes a seat away from a holder who did not give it up may be appealed.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from reclaim.domain.directory import Person
from reclaim.domain.ids import CampaignId, ItemId, PersonId
from reclaim.domain.restore_views import WayBack
from reclaim.domain.review import ReviewItem
from reclaim.domain.roles import RUN_AS_A_PERSON, Actor
from reclaim.errors import Conflict, InvalidRequest, NotAuthorized

TEXT_LENGTH: Final = 500
ANSWER_WITHIN: Final = timedelta(days=5)


class AppealState(StrEnum):
    """Where an appeal stands; all but the first are its end."""

    OPEN = "open"
    GRANTED = "granted"  # the seat is being given back
    REFUSED = "refused"  # it stays removed
    LAPSED = "lapsed"  # nobody answered: it stays removed
    SETTLED = "settled"  # the seat is back, or coming back, in another way


class AppealTo(StrEnum):
    """Who decides, and why they."""

    MANAGER = "manager"
    FALLBACK = "fallback"
    ADMINS = "admins"  # any license manager or admin: nobody nearer could, or nobody nearer did


@dataclass(frozen=True, slots=True, kw_only=True)
class Appeal:
    """What a holder asked; one for every removal, for ever.

    Attributes:
        person_id: The holder.
        text: Their sentence, at most `TEXT_LENGTH` characters.
        reviewer_id: Who decides; None where `to` is ADMINS.
        due_at: An answer is promised by then.
        moved_at: When it went on to the license managers and admins, because nobody had answered.
        reason: Why it stays removed, if the one who decided said so.
        version: Compare-and-set column.
    """

    item_id: ItemId
    campaign_id: CampaignId
    person_id: PersonId
    text: str
    asked_at: datetime
    to: AppealTo
    reviewer_id: PersonId | None
    due_at: datetime
    state: AppealState = AppealState.OPEN
    moved_at: datetime | None = None
    answered_by: PersonId | None = None
    ended_at: datetime | None = None
    reason: str | None = None
    version: int = 1

    def ended(
        self, state: AppealState, now: datetime, *, by: PersonId | None = None, reason: str | None = None
    ) -> "Appeal":
        """Return it as it ended.

        Raises:
            Conflict: It has ended before.
        """
        self.check_open()
        return replace(self, state=state, ended_at=now, answered_by=by, reason=reason, version=self.version + 1)

    def moved(self, now: datetime, until: datetime) -> "Appeal":
        """Return it as it goes on to those who run campaigns, the way back being open `until` then."""
        return replace(
            self,
            to=AppealTo.ADMINS,
            reviewer_id=None,
            moved_at=now,
            due_at=min(now + ANSWER_WITHIN, until),
            version=self.version + 1,
        )

    def check_open(self) -> None:
        """Go on only with one that waits for an answer.

        Raises:
            Conflict: It has ended.
        """
        if self.state is not AppealState.OPEN:
            raise Conflict("This appeal was answered already. You see the present state now.")

    def may_answer(self, actor: Actor) -> bool:
        """Whether this person decides now. Nobody decides about their own seat."""
        if not actor.is_person or actor.id == self.person_id:
            return False
        return actor.may(RUN_AS_A_PERSON) if self.to is AppealTo.ADMINS else actor.id == self.reviewer_id


@dataclass(frozen=True, slots=True, kw_only=True)
class AppealLine:
    """An appeal with the names behind it. `to_name` None: the license managers and admins."""

    appeal: Appeal
    to_name: str | None = None
    answered_by_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AppealView:
    """An appeal as who decides sees it.

    Attributes:
        approved_by: Who had approved the removal; None: nobody had answered.
        may_answer: Whether it is this reader who decides, and the seat can still come back.
    """

    line: AppealLine
    item: ReviewItem
    way: WayBack
    campaign_name: str
    approved_by: str | None
    may_answer: bool


def was_given_up(item: ReviewItem) -> bool:
    """Whether the holder gave the seat up themselves: there is nobody to appeal to but them."""
    return item.answer is not None and item.answer.by == item.person_id


def check_appealable(actor: Actor, item: ReviewItem, way: WayBack, before: Appeal | None) -> None:
    """Go on only with an appeal that this person may make now.

    Raises:
        NotAuthorized: It is not their seat.
        Conflict: They gave it up, have appealed before, or the seat cannot come back; the message says why.
    """
    if not actor.is_person or actor.id != item.person_id:
        raise NotAuthorized("Only the person who had this seat can appeal.")
    if was_given_up(item):
        raise Conflict("You gave this seat up yourself. You can get it back without an appeal.")
    if before is not None:
        raise Conflict("You have appealed already. You see the present state now.")
    if way.refusal is not None:
        raise Conflict(way.refusal)


def who_decides(
    holder: Person,
    people: Mapping[PersonId, Person],
    *,
    fallback: PersonId | None,
    admins: Collection[PersonId],
) -> tuple[AppealTo, PersonId | None]:
    """Return to whom an appeal goes: the manager, else the fallback reviewer, else those who run campaigns.

    Args:
        holder: Whose seat it was; never decides.
        people: At least the holder's manager and the fallback reviewer, as far as they are known.
        fallback: The fallback reviewer of what took the seat.
        admins: The license managers and admins.

    Raises:
        Conflict: There is nobody but the holder.
    """
    for to, one in ((AppealTo.MANAGER, holder.manager_id), (AppealTo.FALLBACK, fallback)):
        person = people.get(one) if one is not None else None
        if person is not None and person.can_review and person.id != holder.id:
            return to, person.id
    if not set(admins) - {holder.id}:
        raise Conflict("There is nobody else who could decide about it.")
    return AppealTo.ADMINS, None


def first_due(now: datetime, until: datetime, to: AppealTo) -> datetime:
    """Return by when an answer is promised. Whom it may go on to has at least as long, while the way back is open."""
    if to is AppealTo.ADMINS:
        return min(now + ANSWER_WITHIN, until)
    return min(now + ANSWER_WITHIN, now + (until - now) / 2)


def checked_text(text: str) -> str:
    """Return the sentence of an appeal as it is kept.

    Raises:
        InvalidRequest: Nothing is said, or too much.
    """
    said = " ".join(text.split())
    if not said:
        raise InvalidRequest("Please say in one sentence why you need it.", field="text")
    return _short(said, "text")


def checked_reason(text: str) -> str | None:
    """Return why a seat stays removed as it is kept; None where nothing is said.

    Raises:
        InvalidRequest: It is too long.
    """
    return _short(" ".join(text.split()), "reason") or None


def _short(said: str, field: str) -> str:
    if len(said) > TEXT_LENGTH:
        raise InvalidRequest(f"Please use at most {TEXT_LENGTH} characters.", field=field)
    return said
