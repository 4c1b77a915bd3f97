"""Whether a consent program really changes memberships now."""

from reclaim.domain.campaign import WriteMode, stricter
from reclaim.domain.consent import ConsentRequest
from reclaim.domain.policy import Policy
from reclaim.ports.storage import UnitOfWork


async def mode_of(work: UnitOfWork, request: ConsentRequest | None, policy: Policy) -> WriteMode:
    """Return the stricter of the installation's mode and that of the run which made the request (rule 8)."""
    run = await work.consents.run(request.run_id) if request is not None else None
    return stricter(policy.writes, run.mode) if run is not None else policy.writes
