"""Who somebody is to Reclaim: roles come from the object ids of the policy, people or groups, never from a message."""

from collections.abc import Mapping, Sequence

from reclaim.domain.directory import Person
from reclaim.domain.ids import GroupId, PersonId
from reclaim.domain.policy import Policy
from reclaim.domain.roles import Actor, Role
from reclaim.ports.storage import UnitOfWork, Work
from reclaim.together import Together


class Access:
    """Looks up roles at the time of each request."""

    def __init__(self, *, work: Work, policy: Policy) -> None:
        self._work = work
        # Entra object ids are the same in any case; ours are stored in lower case.
        self._holders: Mapping[Role, frozenset[str]] = {
            Role.ADMIN: frozenset(one.lower() for one in policy.admins),
            Role.LICENSE_MANAGER: frozenset(one.lower() for one in policy.license_managers),
            Role.AUDITOR: frozenset(one.lower() for one in policy.auditors),
        }
        self._roles = Together(self._read_roles)

    async def actor(self, person: PersonId, channel: str) -> Actor:
        """Return the verified person with the roles they have now.

        A disabled or vanished account has none but employee. Somebody we have not read yet may hold a role by object
        id: otherwise no admin could ask for the first sync.
        """
        return Actor(id=person, channel=channel, roles=await self._roles.ask(person))

    async def _read_roles(self, people: Sequence[PersonId]) -> dict[PersonId, frozenset[Role]]:
        async with self._work.read() as reading:
            known = await reading.people.get_many(people)
            holders = {role: await self._members(reading, role) for role in self._holders}
        return {
            person: frozenset(
                {Role.EMPLOYEE}
                | {
                    role
                    for role, ids in holders.items()
                    if person.lower() in ids and (person not in known or _is_active(known[person]))
                }
            )
            for person in people
        }

    async def people_with(self, roles: frozenset[Role]) -> tuple[PersonId, ...]:
        """Return the people we know who hold one of the roles, by name."""
        return tuple(person.id for person in await self._people_with(roles))

    async def names_with(self, roles: frozenset[Role]) -> tuple[str, ...]:
        """Return the names of people who hold one of the roles, for a refusal that says whom to ask."""
        return tuple(person.shown_name for person in await self._people_with(roles))

    async def _people_with(self, roles: frozenset[Role]) -> list[Person]:
        async with self._work.read() as reading:
            ids: set[str] = set()
            for role in roles & self._holders.keys():
                ids |= await self._members(reading, role)
            people = await reading.people.get_many(PersonId(one) for one in ids)
        return sorted(
            (person for person in people.values() if _is_active(person)),
            key=lambda person: (person.shown_name.casefold(), person.id),
        )

    async def _members(self, reading: UnitOfWork, role: Role) -> frozenset[str]:
        """Return the ids that hold a role: those named, and the members of those that are groups."""
        named = self._holders[role]
        members: set[str] = set(named)
        for one in named:
            members |= await reading.people.members(GroupId(one))
        return frozenset(members)


def _is_active(person: Person) -> bool:
    return person.gone_at is None and person.enabled is not False
