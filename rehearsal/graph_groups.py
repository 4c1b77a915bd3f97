"""Graph's answers about groups, and who joins or leaves them.

Sources: group-list, group-get, group-list-members, group-list-transitivemembers, group-post-members,
group-delete-members (with its CAUTION on DELETE without /$ref).
"""

import re
from collections.abc import Iterator
from typing import Any

from aiohttp import web

from rehearsal import errors, permissions, shapes
from rehearsal.directory import Directory, Group
from rehearsal.gate import Gate, client_request_id, read_json
from rehearsal.odata import DEFAULT_PAGE, Addresses, Query
from rehearsal.people import Person

_REFERENCE = re.compile(r"https://[^/]+/(v1\.0|beta)/(directoryObjects|users)/(?P<id>[0-9a-fA-F-]{36})")

_CALLED = re.compile(r"displayName eq '(?P<name>([^']|'')*)'")


class GroupEndpoints:
    """The handlers under /groups."""

    def __init__(self, directory: Directory, gate: Gate, addresses: Addresses) -> None:
        self._directory = directory
        self._gate = gate
        self._addresses = addresses

    def routes(self) -> list[web.RouteDef]:
        """Return the addresses below the service root."""
        return [
            web.get("/groups", self._list),
            web.get("/groups/{group}", self._get),
            web.get("/groups/{group}/members", self._members),
            web.get("/groups/{group}/members/microsoft.graph.user", self._member_users),
            web.get("/groups/{group}/members/microsoft.graph.group", self._member_groups),
            web.get("/groups/{group}/transitiveMembers", self._transitive_members),
            web.get("/groups/{group}/transitiveMembers/microsoft.graph.user", self._transitive_users),
            web.post("/groups/{group}/members/$ref", self._add_member),
            web.delete("/groups/{group}/members/{user}/$ref", self._remove_member),
            web.delete("/groups/{group}/members/{user}", self._delete_contained),
        ]

    async def _list(self, request: web.Request) -> web.Response:
        self._gate.require(permissions.READ_GROUPS)
        query = self._group_query(request, {"$select", "$top", "$filter"})
        groups = [group for group in self._directory.groups.values() if _fits(request, group)]
        rows = self._group_rows(groups, query)
        context = f"groups({','.join(query.select)})" if query.select else "groups"
        return web.json_response(self._addresses.page(request, context, rows, query.top or DEFAULT_PAGE))

    async def _get(self, request: web.Request) -> web.Response:
        self._gate.require(permissions.READ_GROUPS)
        query = self._group_query(request, {"$select"})
        fragment = f"groups({','.join(query.select)})/$entity" if query.select else "groups/$entity"
        body = {"@odata.context": self._addresses.context(fragment)}
        return web.json_response(body | shapes.group(self._directory, self._group(request), query.select))

    async def _members(self, request: web.Request) -> web.Response:
        group = self._readable_group(request)
        return self._objects(request, self._directory.nested_in(group), group.members)

    async def _transitive_members(self, request: web.Request) -> web.Response:
        group = self._readable_group(request)
        return self._objects(request, self._inner_groups(group), self._directory.everyone_in(group))

    async def _member_users(self, request: web.Request) -> web.Response:
        return self._users(request, self._readable_group(request).members)

    async def _transitive_users(self, request: web.Request) -> web.Response:
        return self._users(request, self._directory.everyone_in(self._readable_group(request)))

    def _users(self, request: web.Request, numbers: set[int]) -> web.Response:
        query = self._member_query(request)
        shapes.check_selectable("user", query.select or ())
        rows = self._user_rows(numbers, query)
        return web.json_response(self._addresses.page(request, "users", rows, query.top or DEFAULT_PAGE))

    async def _member_groups(self, request: web.Request) -> web.Response:
        group = self._readable_group(request)
        query = self._group_query(request, {"$select", "$top"})
        rows = self._group_rows(self._directory.nested_in(group), query)
        return web.json_response(self._addresses.page(request, "groups", rows, query.top or DEFAULT_PAGE))

    async def _add_member(self, request: web.Request) -> web.Response:
        self._gate.require(permissions.WRITE_MEMBERS)
        group = self._group(request)
        person = self._directory.find(_parse_reference(await read_json(request)))
        self._directory.add_member(group, person.number, client_request_id(request))
        return web.Response(status=204)

    async def _remove_member(self, request: web.Request) -> web.Response:
        self._gate.require(permissions.WRITE_MEMBERS)
        group = self._group(request)
        person = self._find_by_id(request.match_info["user"])
        self._directory.remove_member(group, person.number, client_request_id(request))
        return web.Response(status=204)

    async def _delete_contained(self, request: web.Request) -> web.Response:
        raise errors.not_contained()

    def _objects(self, request: web.Request, groups: list[Group], numbers: set[int]) -> web.Response:
        """Answer with a page of directoryObjects: groups first, then users."""
        query = self._member_query(request)
        # A select names properties of either kind; each object answers those that it has.
        rows = self._object_rows(groups, numbers, query)
        return web.json_response(self._addresses.page(request, "directoryObjects", rows, query.top or DEFAULT_PAGE))

    def _object_rows(
        self, groups: list[Group], numbers: set[int], query: Query
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        start = -len(groups) - 1 if query.after is None else query.after
        for key, group in enumerate(groups, start=-len(groups)):
            if key > start:
                select = shapes.known("group", query.select)
                yield key, {"@odata.type": "#microsoft.graph.group"} | shapes.group(self._directory, group, select)
        select = shapes.known("user", query.select)
        for number in _behind(numbers, start):
            person = self._directory.person(number)
            yield number, {"@odata.type": "#microsoft.graph.user"} | shapes.user(self._directory, person, select)

    def _user_rows(self, numbers: set[int], query: Query) -> Iterator[tuple[int, dict[str, Any]]]:
        start = -1 if query.after is None else query.after
        for number in _behind(numbers, start):
            yield number, shapes.user(self._directory, self._directory.person(number), query.select)

    def _group_rows(self, groups: list[Group], query: Query) -> Iterator[tuple[int, dict[str, Any]]]:
        start = -1 if query.after is None else query.after
        for key, group in enumerate(groups):
            if key > start:
                yield key, shapes.group(self._directory, group, query.select)

    def _inner_groups(self, group: Group) -> list[Group]:
        nested = self._directory.nested_in(group)
        return nested + [deeper for inner in nested for deeper in self._inner_groups(inner)]

    def _group_query(self, request: web.Request, allowed: set[str]) -> Query:
        query = self._addresses.parse(request, allowed)
        shapes.check_selectable("group", query.select or ())
        return query

    def _member_query(self, request: web.Request) -> Query:
        query = self._addresses.parse(request, {"$select", "$top"})
        if shapes.SIGN_IN_ACTIVITY in (query.select or ()):
            raise errors.bad_request("signInActivity can only be selected on users.")
        return query

    def _readable_group(self, request: web.Request) -> Group:
        self._gate.require(permissions.READ_GROUPS)
        return self._group(request)

    def _group(self, request: web.Request) -> Group:
        return self._directory.group(request.match_info["group"])

    def _find_by_id(self, person_id: str) -> Person:
        """Return a person by object id only, as members are addressed."""
        if self._directory.people.identities.number_of(person_id) is None and "@" in person_id:
            raise errors.invalid_identifier(person_id)
        return self._directory.find(person_id)


def _fits(request: web.Request, group: Group) -> bool:
    """Say whether a group fits the filter, which may ask for a display name and nothing else."""
    text = request.query.get("$filter")
    if text is None:
        return True
    match = _CALLED.fullmatch(text)
    if match is None:
        raise errors.bad_request(f"Invalid filter clause: '{text}'.")
    return match["name"].replace("''", "'").lower() == group.spec.name.lower()


def _behind(numbers: set[int], start: int) -> list[int]:
    """Return the numbers behind `start` in order."""
    return sorted(number for number in numbers if number > start)


def _parse_reference(body: object) -> str:
    reference = body.get("@odata.id") if isinstance(body, dict) else None
    match = _REFERENCE.fullmatch(reference) if isinstance(reference, str) else None
    if match is None:
        raise errors.bad_request("Invalid URL format specified for an entity reference in the request payload.")
    return match["id"]
