"""Graph's answer about who holds an admin role, and who may take one up.

Sources: rbacapplication-list-roleassignments, rbacapplication-list-roleeligibilityscheduleinstances,
resources/unifiedroleassignment (a principal is a user, a role-assignable group or a service principal; the scope of a whole
tenant is "/").
"""

from collections.abc import Iterable, Iterator
from typing import Any

from aiohttp import web

from rehearsal import errors, permissions
from rehearsal.cast import CAST, Role
from rehearsal.directory import Directory
from rehearsal.gate import Gate
from rehearsal.groups import PRIVILEGED
from rehearsal.odata import DEFAULT_PAGE, Addresses
from rehearsal.traps import NUMBERS

# Template ids of built-in roles, the same in every tenant (entra-docs, permissions-reference).
_GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
_LICENSE_ADMINISTRATOR = "4d6ac14f-3453-41d0-bef9-a3e0c569773a"
_DIRECTORY_READERS = "88d8e3e3-8f55-4a1e-953a-9b9898b8876b"
_SYNCHRONIZATION = "d29b2b05-8046-44ba-8758-1e26182fcf32"
_ASSIGNMENTS = "roleManagement/directory/roleAssignments"
_ELIGIBILITIES = "roleManagement/directory/roleEligibilityScheduleInstances"
_PEOPLE = (("Emergency Access", _GLOBAL_ADMINISTRATOR), ("Directory Synchronization", _SYNCHRONIZATION))


class RoleEndpoints:
    """The handlers under /roleManagement."""

    def __init__(self, directory: Directory, gate: Gate, addresses: Addresses) -> None:
        self._directory = directory
        self._gate = gate
        self._addresses = addresses

    def routes(self) -> list[web.RouteDef]:
        """Return the addresses below the service root."""
        return [
            web.get(f"/{_ASSIGNMENTS}", self._list_assignments),
            web.get(f"/{_ELIGIBILITIES}", self._list_eligibilities),
        ]

    async def _list_assignments(self, request: web.Request) -> web.Response:
        self._gate.require(permissions.READ_ROLES)
        return self._page(request, _ASSIGNMENTS, self._assignments())

    async def _list_eligibilities(self, request: web.Request) -> web.Response:
        self._gate.require(permissions.READ_ELIGIBILITY)
        if not self._gate.premium:
            raise errors.no_pim()
        return self._page(request, _ELIGIBILITIES, self._eligibilities())

    def _page(self, request: web.Request, what: str, listed: Iterable[dict[str, Any]]) -> web.Response:
        query = self._addresses.parse(request, {"$top"})
        after = -1 if query.after is None else query.after
        rows = ((key, row) for key, row in enumerate(listed) if key > after)
        return web.json_response(self._addresses.page(request, what, rows, query.top or DEFAULT_PAGE))

    def _eligibilities(self) -> Iterator[dict[str, Any]]:
        """Give the license manager of the cast."""
        number = next(number for number, player in enumerate(CAST) if player.role is Role.LICENSE_MANAGER)
        if number < self._directory.people.count and self._directory.is_present(number):
            person = self._directory.people.identities.person(number)
            yield {**self._assignment(person, _LICENSE_ADMINISTRATOR), "memberType": "Direct", "endDateTime": None}

    def _assignments(self) -> Iterator[dict[str, Any]]:
        """Give a group, an application and people, in this order."""
        identities = self._directory.people.identities
        yield self._assignment(self._directory.group_by_key(PRIVILEGED).id, _GLOBAL_ADMINISTRATOR)
        yield self._assignment(identities.named("service principal"), _DIRECTORY_READERS)
        for name, role in _PEOPLE:
            number = NUMBERS[name]
            if number < self._directory.people.count and self._directory.is_present(number):
                yield self._assignment(identities.person(number), role)

    def _assignment(self, principal: str, role: str) -> dict[str, Any]:
        return {
            "id": self._directory.people.identities.named(f"role assignment {principal} {role}"),
            "principalId": principal,
            "directoryScopeId": "/",
            "roleDefinitionId": role,
        }
