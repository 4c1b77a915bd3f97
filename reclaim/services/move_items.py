"""What every move of items from one assignee to another stores and shows."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from reclaim.domain.attestation import EventKind
from reclaim.domain.ids import PersonId
from reclaim.domain.review import ReviewItem
from reclaim.domain.roles import Actor
from reclaim.ports.storage import UnitOfWork
from reclaim.services.attesting import Attestor
from reclaim.services.jobs import list_job


async def store_moves(
    work: UnitOfWork,
    attest: Attestor,
    actor: Actor,
    moved: Sequence[ReviewItem],
    kind: EventKind,
    *,
    now: datetime,
    reason: str | None = None,
) -> None:
    """Store moved items with their history and attest each move.

    Args:
        reason: What the actor wrote; it stays erasable.

    Raises:
        Conflict: One of them was changed by somebody else a moment ago.
    """
    await work.items.move_many(moved, by=actor.id, at=now)
    await work.events.append(
        *(
            attest.event(
                kind,
                actor=actor.id,
                campaign=item.campaign_id,
                item=item.id,
                facts={
                    "to": item.assignee_id,
                    "to_kind": item.assignee_kind.value,
                    "handovers": item.handovers,
                    "channel": actor.channel,
                },
                personal={"reason": reason},
            )
            for item in moved
        )
    )


async def shown_again(
    work: UnitOfWork, items: Iterable[ReviewItem], occasion: str, *, but: PersonId | None = None
) -> None:
    """Show everybody who has or had one of these items their list as it is now, all but `but`."""
    concerned = {(item.campaign_id, item.assignee_kind, item.assignee_id) for item in items}
    for campaign, kind, assignee in sorted(concerned, key=str):
        if assignee is not None and assignee != but:
            await work.enqueue(list_job(campaign, assignee, kind, occasion, but=but))
