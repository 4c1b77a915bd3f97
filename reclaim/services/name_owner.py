"""Who answers for the seats of a SKU: its license owner, a person or a group."""

from reclaim.domain.attestation import EventKind
from reclaim.domain.directory import AssigneeKind, ProductOwner
from reclaim.domain.ids import AssigneeId, GroupId, PersonId, ProductId
from reclaim.domain.policy import Policy
from reclaim.domain.read_models import OwnerRow, Owners
from reclaim.domain.review import FallbackWhy
from reclaim.domain.roles import Actor
from reclaim.errors import InvalidRequest, NotFound
from reclaim.ports.storage import UnitOfWork, Work
from reclaim.ports.system import Clock, Tokens
from reclaim.services.attesting import Attestor
from reclaim.services.find_person import find_group, find_person
from reclaim.services.naming import names_of


class NameOwner:
    """Lists, names and removes license owners."""

    def __init__(self, *, work: Work, clock: Clock, tokens: Tokens, policy: Policy) -> None:
        self._work = work
        self._clock = clock
        self._policy = policy
        self._attest = Attestor(clock=clock, tokens=tokens)

    async def owners(self) -> Owners:
        """Return every product with its owner and its idle seats; those without an owner first, then by idle seats."""
        now = self._clock.now()
        async with self._work.read() as reading:
            skus = await reading.catalog.skus()
            owners = await reading.catalog.owners()
            idle = await reading.findings.tally(days=self._policy.idle_days, now=now)
            names = await names_of(reading, (one.owner for one in owners.values()))
            trouble = {product: await _trouble(reading, one) for product, one in owners.items()}
            fallback = await reading.people.get(self._policy.fallback_reviewer or PersonId(""))
        rows = [
            OwnerRow(
                product_id=sku.id,
                sku_name=sku.name,
                owner_name=names.get(owners[sku.id].owner, owners[sku.id].owner) if sku.id in owners else None,
                kind=owners[sku.id].kind if sku.id in owners else None,
                idle=idle.get(sku.id, 0),
                trouble=trouble.get(sku.id),
            )
            for sku in skus.values()
        ]
        rows.sort(key=lambda row: (row.owner_name is not None, -row.idle, row.sku_name.casefold(), row.product_id))
        return Owners(rows=tuple(rows), fallback_name=fallback.shown_name if fallback and fallback.can_review else None)

    async def name(self, actor: Actor, product: ProductId, text: str, *, group: bool) -> Owners:
        """Make a person, or a group, the owner of a product; open items keep their reviewers.

        Args:
            text: Name, address or id of the person; name or object id of the group.

        Raises:
            NotFound: Nobody and no group is meant; the message names the nearest.
            InvalidRequest: Several are, or the person cannot review.
        """
        async with self._work.write() as work:
            owner = await _owner(work, text, group=group)
            kind = AssigneeKind.GROUP if group else AssigneeKind.PERSON
            await work.catalog.set_owner(
                ProductOwner(product_id=product, owner=owner, kind=kind, by=actor.id, at=self._clock.now())
            )
            await work.events.append(
                self._attest.event(
                    EventKind.OWNER_NAMED,
                    actor=actor.id,
                    facts={"product": product, "owner": owner, "kind": kind.value, "channel": actor.channel},
                )
            )
            await work.commit()
        return await self.owners()

    async def remove(self, actor: Actor, product: ProductId) -> Owners:
        """Leave a product without an owner: its seats go to the fallback reviewer.

        Raises:
            NotFound: It has none.
        """
        async with self._work.write() as work:
            if not await work.catalog.remove_owner(product):
                raise NotFound("This SKU has no license owner.")
            await work.events.append(
                self._attest.event(
                    EventKind.OWNER_REMOVED, actor=actor.id, facts={"product": product, "channel": actor.channel}
                )
            )
            await work.commit()
        return await self.owners()


async def _owner(work: UnitOfWork, text: str, *, group: bool) -> AssigneeId:
    if group:
        return await find_group(work, text, field="owner")
    person = await find_person(work, text, field="owner")
    if person.gone_at is not None:
        raise InvalidRequest(f"{person.shown_name} has left. Pick someone else.", field="owner")
    if person.enabled is not True:
        raise InvalidRequest(f"{person.shown_name}’s account is disabled. Pick someone else.", field="owner")
    if not person.can_review:
        raise InvalidRequest(f"{person.shown_name} is a guest. Pick someone else.", field="owner")
    return person.id


async def _trouble(reading: UnitOfWork, owner: ProductOwner) -> FallbackWhy | None:
    """Return why the owner would not be asked, were a campaign to start now."""
    if owner.kind is AssigneeKind.GROUP:
        members = (await reading.people.reviewers_in([GroupId(owner.owner)])).get(GroupId(owner.owner))
        if members is None:
            return FallbackWhy.GROUP_UNREAD
        return None if members else FallbackWhy.GROUP_EMPTY
    person = await reading.people.get(PersonId(owner.owner))
    if person is None or person.gone_at is not None:
        return FallbackWhy.OWNER_GONE
    return None if person.can_review else FallbackWhy.OWNER_DISABLED
