"""Graph's answer about who holds an admin role.

Sources: rbacapplication-list-roleassignments, resources/unifiedroleassignment (a principal is a user, a role-assignable
group or a service principal; the scope of a whole tenant is "/").
"""

from collections.abc import Iterator
from typing import Any

from aiohttp import web

from rehearsal import permissions
from rehearsal.directory import Directory
from rehearsal.gate import Gate
from rehearsal.groups import PRIVILEGED
from rehearsal.odata import DEFAULT_PAGE, Addresses
from rehearsal.traps import NUMBERS

# Template ids of built-in roles, the same in every tenant (entra-docs, permissions-reference).
_GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
_DIRECTORY_READERS = "88d8e3e3-8f55-4a1e-953a-9b9898b8876b"
_SYNCHRONIZATION = "d29b2b05-8046-44ba-8758-1e26182fcf32"
_PEOPLE = (("Emergency Access", _GLOBAL_ADMINISTRATOR), ("Directory Synchronization", _SYNCHRONIZATION))


class RoleEndpoints:
    """The handlers under /roleManagement."""

    def __init__(self, directory: Directory, gate: Gate, addresses: Addresses) -> None:
        self._directory = directory
        self._gate = gate
        self._addresses = addresses

    def routes(self) -> list[web.RouteDef]:
        """Return the addresses below the service root."""
        return [web.get("/roleManagement/directory/roleAssignments", self._list)]

    async def _list(self, request: web.Request) -> web.Response:
        self._gate.require(permissions.READ_ROLES)
        query = self._addresses.parse(request, {"$top"})
        after = -1 if query.after is None else query.after
        rows = ((key, row) for key, row in enumerate(self._assignments()) if key > after)
        size = query.top or DEFAULT_PAGE
        return web.json_response(self._addresses.page(request, "roleManagement/directory/roleAssignments", rows, size))

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
