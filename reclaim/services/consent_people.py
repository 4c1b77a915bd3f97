"""Who decides about a holder's application, and whether a question has reached somebody."""

from reclaim.domain.consent import ConsentRequest
from reclaim.domain.ids import ConsentId, PersonId
from reclaim.domain.notices import consent_matter
from reclaim.domain.policy import Policy
from reclaim.ports.storage import UnitOfWork


async def manager_of(work: UnitOfWork, holder: PersonId, policy: Policy) -> PersonId | None:
    """Return the holder's manager, or the fallback reviewer where they have none who can answer; None: nobody."""
    person = await work.people.get(holder)
    for one in (person.manager_id if person else None, policy.fallback_reviewer):
        if one is None or one == holder:
            continue
        found = await work.people.get(one)
        if found is not None and found.can_review:
            return found.id
    return None


async def has_arrived(work: UnitOfWork, request: ConsentRequest) -> bool:
    """Say whether the question is known to have reached its holder: silence counts only then (rule 3)."""
    return await work.messages.live(request.person_id, consent_matter(ConsentId(request.id))) is not None
