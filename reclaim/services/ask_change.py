"""Have somebody taken into a group or out of it: store the change, attest who asked for it, and let it be carried out."""

from reclaim.domain.attestation import EventKind, Fact
from reclaim.domain.consent import ConsentRequest
from reclaim.domain.membership import MembershipChange
from reclaim.ports.storage import UnitOfWork
from reclaim.services.attesting import Attestor
from reclaim.services.jobs import consent_job, membership_job


async def ask_change(
    work: UnitOfWork,
    attest: Attestor,
    request: ConsentRequest,
    change: MembershipChange,
    *,
    occasion: str,
    facts: dict[str, Fact] | None = None,
) -> None:
    """Ask for a change that is due now, in the caller's transaction.

    Args:
        occasion: What the holder's card is drawn anew for.
        facts: What else is known of it.
    """
    await work.consents.add_change(change)
    await work.events.append(
        attest.event(
            EventKind.CHANGE_ASKED,
            actor=change.asked_by,
            campaign=request.program_id,
            item=request.id,
            facts={"change": change.id, "kind": change.kind.value, "why": change.why.value, **(facts or {})},
        )
    )
    await work.enqueue(membership_job(change.id, change.attempt))
    await work.enqueue(consent_job(request.id, occasion))
