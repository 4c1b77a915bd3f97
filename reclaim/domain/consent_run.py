"""One run of a consent program: whom it looked at, whom it asked, and why not the others. Every person is counted once."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from reclaim.domain.campaign import WriteMode
from reclaim.domain.ids import ConsentRunId, PersonId, ProgramId


class RunState(StrEnum):
    """Where a run stands."""

    RUNNING = "running"
    COMPLETE = "complete"
    STOPPED = "stopped"  # with what to do in `error`


class Passed(StrEnum):
    """Why a run makes no request of somebody whose use is known."""

    USED = "used"
    UNKNOWN = "unknown"  # what the source says is too old, or does not say when it was used
    COOLDOWN = "cooldown"  # they answered lately
    OPEN = "open"  # somebody is being asked about it already
    NOT_NAMED = "not_named"  # the run was for other people or devices
    OVER_CAP = "over_cap"  # the program may not remove more today


# Requests are counted by the state in which the run made them.
MADE: Final = ("waiting", "enforced", "not_a_member", "by_hand", "excluded", "left")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRun:
    """One run as stored.

    Attributes:
        asked_by: Who started it; `system` for the schedule.
        people, devices: Only these, where somebody ran it by hand for a list; empty: everybody.
        mode: Fixed at its start: the stricter of the installation and the program.
        data_as_of: When the source saw the newest row that the run used.
        unmatched, ambiguous: Rows of the source that are nobody, or more than one person, here.
        after: Everybody up to this person is done; a killed run goes on behind them.
        counts: `Passed` and states of requests → people.
        attempt: Part of the job key.
        not_before: When the present attempt is due; None: at once, or it has ended.
        version: Compare-and-set column.
    """

    id: ConsentRunId
    program_id: ProgramId
    state: RunState
    started_at: datetime
    asked_by: PersonId
    mode: WriteMode
    people: tuple[PersonId, ...] = ()
    devices: tuple[str, ...] = ()
    data_as_of: datetime | None = None
    unmatched: int = 0
    ambiguous: int = 0
    after: PersonId | None = None
    counts: dict[str, int] = field(default_factory=dict)
    ended_at: datetime | None = None
    error: str | None = None
    attempt: int = 1
    not_before: datetime | None = None
    version: int = 1

    def counted(self, more: dict[str, int], after: PersonId) -> "ConsentRun":
        """Return the run with further people counted, done up to `after`."""
        counts = dict(self.counts)
        for name, number in more.items():
            counts[name] = counts.get(name, 0) + number
        return replace(self, counts=counts, after=after, version=self.version + 1)

    def ended(self, state: RunState, now: datetime, error: str | None = None) -> "ConsentRun":
        """Return the run with its end."""
        return replace(self, state=state, ended_at=now, error=error, not_before=None, version=self.version + 1)

    @property
    def looked_at(self) -> int:
        """People in all; the counts add up to them."""
        return sum(self.counts.values())
