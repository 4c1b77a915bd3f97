"""What became of a program's candidates, told three ways; each way puts every candidate in exactly one place.

`Stage`: how far they came. `Answer`: what became of the question, of those who were asked. `Standing`: where they stand now.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, assert_never

from reclaim.domain.consent import ApprovedBy, RequestState
from reclaim.domain.money import Money, Total


class Stage(StrEnum):
    """How far a candidate came."""

    NOT_A_MEMBER = "not_a_member"
    EXCLUDED = "excluded"
    WAITING = "waiting"  # not asked yet
    NOT_ASKABLE = "not_askable"  # the account is gone or disabled, or the group is not ours to change
    ASKED = "asked"
    ENFORCED = "enforced"  # the program takes it without asking


class Answer(StrEnum):
    """What became of a question."""

    AGREED = "agreed"  # by the holder, or by who decides
    KEPT = "kept"
    SILENT = "silent"  # nobody answered in time
    OPEN = "open"
    OVERTAKEN = "overtaken"  # it ended before an answer: they left, no chat reached them, the program ended


class Standing(StrEnum):
    """Where a candidate stands."""

    NOT_A_MEMBER = "not_a_member"
    EXCLUDED = "excluded"
    WAITING = "waiting"
    OPEN = "open"
    KEPT = "kept"
    SILENT = "silent"  # kept: nobody answered
    REMOVING = "removing"
    REMOVED = "removed"  # verified, and not there again
    RESTORED = "restored"
    BY_HAND = "by_hand"  # somebody has to do it
    OTHERWISE = "otherwise"  # used again, left, not reached, a dry run, an ended program


APPROVING: Final = frozenset({ApprovedBy.HOLDER, ApprovedBy.MANAGER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What the place of a candidate follows from.

    Attributes:
        asked: Whether it was put to its holder.
        approved_by: By whose word it goes; None: nobody's.
        reason: Why the holder keeps it, if they said so.
        restored: Whether what was removed is back.
    """

    state: RequestState
    asked: bool
    approved_by: ApprovedBy | None
    reason: str | None
    restored: bool

    @property
    def stage(self) -> Stage:
        """How far they came."""
        if self.asked:
            return Stage.ASKED
        if self.approved_by is not None:
            return Stage.ENFORCED
        match self.state:
            case RequestState.NOT_A_MEMBER:
                return Stage.NOT_A_MEMBER
            case RequestState.EXCLUDED:
                return Stage.EXCLUDED
            case RequestState.WAITING:
                return Stage.WAITING
            case _:
                return Stage.NOT_ASKABLE

    @property
    def answer(self) -> Answer | None:
        """What became of the question; None: they were not asked."""
        if not self.asked:
            return None
        if self.approved_by is not None:
            return Answer.AGREED if self.approved_by in APPROVING else Answer.SILENT
        match self.state:
            case RequestState.KEPT:
                return Answer.KEPT
            case RequestState.EXPIRED:
                return Answer.SILENT
            case RequestState.ASKED | RequestState.LATER | RequestState.WITH_MANAGER:
                return Answer.OPEN
            case _:
                return Answer.OVERTAKEN

    @property
    def standing(self) -> Standing:
        """Where they stand."""
        match self.state:
            case RequestState.NOT_A_MEMBER:
                return Standing.NOT_A_MEMBER
            case RequestState.EXCLUDED:
                return Standing.EXCLUDED
            case RequestState.WAITING:
                return Standing.WAITING
            case RequestState.ASKED | RequestState.LATER | RequestState.WITH_MANAGER:
                return Standing.OPEN
            case RequestState.KEPT:
                return Standing.KEPT
            case RequestState.EXPIRED:
                return Standing.SILENT
            case RequestState.AGREED | RequestState.ENFORCED:
                return Standing.REMOVING
            case RequestState.REMOVED:
                return Standing.RESTORED if self.restored else Standing.REMOVED
            case RequestState.BY_HAND | RequestState.STILL_THERE | RequestState.FAILED:
                return Standing.BY_HAND
            case (
                RequestState.USED_AGAIN
                | RequestState.USE_UNKNOWN
                | RequestState.LEFT
                | RequestState.UNREACHED
                | RequestState.DRY_RUN
                | RequestState.CANCELLED
            ):
                return Standing.OTHERWISE
            case _:
                assert_never(self.state)


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """How many of a program's candidates are where.

    Attributes:
        stages: All candidates.
        answers: Those who were asked.
        standings: All candidates again.
        reasons: Why holders keep it → requests, the most frequent first.
        seat: What a seat costs a month, None if unknown.
    """

    stages: Mapping[Stage, int]
    answers: Mapping[Answer, int]
    standings: Mapping[Standing, int]
    reasons: Mapping[str, int]
    seat: Money | None

    @property
    def candidates(self) -> int:
        """Everybody of whom no use was seen."""
        return sum(self.stages.values())

    @property
    def asked(self) -> int:
        """Those who were asked."""
        return self.stages.get(Stage.ASKED, 0)

    @property
    def removed(self) -> int:
        """Verified, those that are back again too."""
        return self.standings.get(Standing.REMOVED, 0) + self.restored

    @property
    def restored(self) -> int:
        """Of the removed, those that are back."""
        return self.standings.get(Standing.RESTORED, 0)

    @property
    def by_hand(self) -> int:
        """Those where somebody has to do it."""
        return self.standings.get(Standing.BY_HAND, 0)

    @property
    def saved(self) -> Total:
        """What the removed and not restored seats cost a month."""
        return cost(self.standings.get(Standing.REMOVED, 0), self.seat)


def cost(seats: int, seat: Money | None) -> Total:
    """Return what so many seats cost a month."""
    if seat is None:
        return Total(unpriced=seats)
    return Total(amounts=(seat.times(seats),) if seats else ())


def count(places: Iterable[tuple[Place, int]], seat: Money | None) -> Funnel:
    """Add up places, each with how many are there."""
    stages: dict[Stage, int] = {}
    answers: dict[Answer, int] = {}
    standings: dict[Standing, int] = {}
    reasons: dict[str, int] = {}
    for place, number in places:
        stages[place.stage] = stages.get(place.stage, 0) + number
        standings[place.standing] = standings.get(place.standing, 0) + number
        if place.answer is not None:
            answers[place.answer] = answers.get(place.answer, 0) + number
        if place.reason is not None:
            reasons[place.reason] = reasons.get(place.reason, 0) + number
    return Funnel(
        stages=stages,
        answers=answers,
        standings=standings,
        reasons=dict(sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))),
        seat=seat,
    )
