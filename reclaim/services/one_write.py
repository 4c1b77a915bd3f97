"""One write for one person at a time, over removals, restores and consent programs."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from reclaim.domain.ids import ChangeId, PersonId, RestoreId
from reclaim.domain.orders import RemovalStep, StepState
from reclaim.ports.storage import UnitOfWork

# A write waits 120 s for its answer, and is sent once more after a 401 (connectors/graph/client).
LONGEST_CALL: Final = timedelta(minutes=5)


def in_flight(step: RemovalStep, now: datetime) -> bool:
    """Whether a call for this step may still be on its way, so that no other one for the person is made beside it."""
    if step.state is not StepState.INTENDED or step.intended_at is None:
        return False
    return now - step.intended_at < LONGEST_CALL


async def given_or_moved(
    work: UnitOfWork, people: Collection[PersonId], *, restore: RestoreId | None = None, change: ChangeId | None = None
) -> frozenset[PersonId]:
    """Return of whom a restore or a change of a group is on its way, other than the one that is named."""
    given_back = await work.restores.with_intended(people, but=restore)
    return given_back | await work.consents.with_intended(people, but=change)


async def is_busy(
    work: UnitOfWork,
    person: PersonId,
    *,
    now: datetime,
    restore: RestoreId | None = None,
    change: ChangeId | None = None,
) -> bool:
    """Whether any write of this person is on its way, other than the one that is named."""
    removing = (await work.orders.written_steps([person]))[person]
    return any(in_flight(step, now) for step in removing) or person in await given_or_moved(
        work, [person], restore=restore, change=change
    )
