"""Graph's answers about users and products, and assignLicense.

Sources: user-list, user-get, user-list-manager, user-list-memberof, user-checkmembergroups, user-list-licensedetails,
subscribedsku-list, user-assignlicense.
"""

from collections.abc import Iterator
from typing import Any

from aiohttp import web

from rehearsal import errors, permissions, shapes
from rehearsal.catalog import SKUS
from rehearsal.directory import Directory
from rehearsal.gate import Gate, client_request_id, read_json
from rehearsal.identity import is_guid
from rehearsal.licensing import assign_license
from rehearsal.odata import DEFAULT_PAGE, Addresses, Query
from rehearsal.people import Person

SIGN_IN_PAGE = 500  # user-list: more asked gives 500 rows without an error
EXPAND_PAGE = 100  # known issue 13635
_CHECKABLE_GROUPS = 20


class UserEndpoints:
    """The handlers under /users and /subscribedSkus."""

    def __init__(self, directory: Directory, gate: Gate, addresses: Addresses, tenant_id: str) -> None:
        self._directory = directory
        self._gate = gate
        self._addresses = addresses
        self._tenant_id = tenant_id

    def routes(self) -> list[web.RouteDef]:
        """Return the addresses below the service root."""
        return [
            web.get("/users", self._list),
            web.get("/users/{user}", self._get),
            web.get("/users/{user}/manager", self._manager),
            web.get("/users/{user}/memberOf/microsoft.graph.group", self._member_of),
            web.post("/users/{user}/checkMemberGroups", self._check_member_groups),
            web.get("/users/{user}/licenseDetails", self._license_details),
            web.post("/users/{user}/assignLicense", self._assign_license),
            web.get("/subscribedSkus", self._subscribed_skus),
        ]

    async def _list(self, request: web.Request) -> web.Response:
        self._gate.require(permissions.READ_USERS)
        query = self._addresses.parse(request, {"$select", "$expand", "$top"})
        self._check_user_query(query)
        after = -1 if query.after is None else query.after
        rows = ((number, self._user(number, query)) for number in self._directory.numbers(after))
        return web.json_response(self._addresses.page(request, _context(query), rows, _page_size(query)))

    async def _get(self, request: web.Request) -> web.Response:
        self._gate.require(permissions.READ_USERS)
        query = self._addresses.parse(request, {"$select", "$expand"})
        self._check_user_query(query)
        key = request.match_info["user"]
        if shapes.SIGN_IN_ACTIVITY in (query.select or ()) and not is_guid(key):
            # https://learn.microsoft.com/answers/questions/1311910
            raise errors.bad_request("Get By Key only supports UserId and the key has to be a valid Guid")
        person = self._directory.find(key)
        body = {"@odata.context": self._addresses.context(f"{_context(query)}/$entity")}
        return web.json_response(body | self._user(person.number, query))

    async def _manager(self, request: web.Request) -> web.Response:
        self._gate.require(permissions.READ_USERS)
        query = self._addresses.parse(request, {"$select"})
        shapes.check_selectable("user", query.select or ())
        manager = self._shown_manager(self._find(request), query.select)
        if manager is None:
            raise errors.not_found("manager")
        return web.json_response({"@odata.context": self._addresses.context("directoryObjects/$entity")} | manager)

    async def _member_of(self, request: web.Request) -> web.Response:
        self._gate.require(permissions.READ_USERS)
        self._gate.require(permissions.READ_GROUPS)
        query = self._addresses.parse(request, {"$select", "$top"})
        shapes.check_selectable("group", query.select or ())
        groups = enumerate(self._directory.groups_of(self._find(request).number))
        start = -1 if query.after is None else query.after
        rows = ((key, shapes.group(self._directory, group, query.select)) for key, group in groups if key > start)
        return web.json_response(self._addresses.page(request, "groups", rows, query.top or DEFAULT_PAGE))

    async def _check_member_groups(self, request: web.Request) -> web.Response:
        self._gate.require(permissions.READ_USERS)
        self._gate.require(permissions.READ_GROUPS)
        person = self._find(request)
        wanted = _parse_group_ids(await read_json(request))
        groups = [self._directory.groups[group_id] for group_id in wanted if group_id in self._directory.groups]
        inside = [group.id for group in groups if person.number in self._directory.everyone_in(group)]
        context = self._addresses.context("Collection(Edm.String)")
        return web.json_response({"@odata.context": context, "value": inside})

    async def _license_details(self, request: web.Request) -> web.Response:
        self._gate.require(permissions.READ_LICENSES)
        self._addresses.parse(request, ())
        person = self._find(request)
        context = self._addresses.context(f"users('{person.id}')/licenseDetails")
        return web.json_response({"@odata.context": context, "value": shapes.license_details(self._directory, person)})

    async def _assign_license(self, request: web.Request) -> web.Response:
        self._gate.require(permissions.WRITE_LICENSES)
        person = self._find(request)
        assign_license(self._directory, person, await read_json(request), client_request_id(request))
        body = {"@odata.context": self._addresses.context("users/$entity")}
        return web.json_response(body | shapes.user(self._directory, person))

    async def _subscribed_skus(self, request: web.Request) -> web.Response:
        self._gate.require(permissions.READ_LICENSES)
        query = self._addresses.parse(request, {"$select"})
        products = [shapes.subscribed_sku(self._directory, self._tenant_id, sku) for sku in SKUS]
        if query.select is not None:
            products = [{name: product[name] for name in query.select if name in product} for product in products]
        context = self._addresses.context("subscribedSkus")
        return web.json_response({"@odata.context": context, "value": products})

    def _find(self, request: web.Request) -> Person:
        return self._directory.find(request.match_info["user"])

    def _shown_manager(self, person: Person, select: tuple[str, ...] | None) -> dict[str, Any] | None:
        """Return somebody's manager as a directoryObject: a user or an organizational contact; None for none."""
        if person.contact_manager:
            return shapes.org_contact(self._directory, person, select)
        if person.manager is None or not self._directory.is_present(person.manager):
            return None
        manager = shapes.user(self._directory, self._directory.person(person.manager), select)
        return {"@odata.type": "#microsoft.graph.user"} | manager

    def _check_user_query(self, query: Query) -> None:
        shapes.check_selectable("user", query.select or ())
        shapes.check_selectable("user", query.expand_select or ())
        if query.expand not in {None, shapes.MANAGER}:
            raise errors.bad_request(
                f"Could not find a property named '{query.expand}' on type 'microsoft.graph.user'."
            )
        if shapes.SIGN_IN_ACTIVITY in (query.select or ()):
            self._gate.require_sign_ins()

    def _user(self, number: int, query: Query) -> dict[str, Any]:
        person = self._directory.person(number)
        shape = shapes.user(self._directory, person, query.select)
        manager = self._shown_manager(person, query.expand_select) if query.expand == shapes.MANAGER else None
        return shape if manager is None else shape | {shapes.MANAGER: manager}


def _page_size(query: Query) -> int:
    size = query.top or DEFAULT_PAGE
    if query.expand is not None:
        size = min(size, EXPAND_PAGE)
    return min(size, SIGN_IN_PAGE) if shapes.SIGN_IN_ACTIVITY in (query.select or ()) else size


def _context(query: Query) -> str:
    return "users" + "".join(_context_parts(query))


def _context_parts(query: Query) -> Iterator[str]:
    names = list(query.select or ())
    if query.expand is not None:
        names.append(f"{query.expand}({','.join(query.expand_select or ())})")
    if names:
        yield f"({','.join(names)})"


def _parse_group_ids(body: object) -> list[str]:
    group_ids = body.get("groupIds") if isinstance(body, dict) else None
    if not isinstance(group_ids, list) or not group_ids:
        raise errors.bad_request("One or more parameters are missing from the request payload: groupIds.")
    if len(group_ids) > _CHECKABLE_GROUPS:
        raise errors.bad_request(f"At most {_CHECKABLE_GROUPS} groups can be checked in one request.")
    for group_id in group_ids:
        if not isinstance(group_id, str) or not is_guid(group_id):
            raise errors.invalid_identifier(str(group_id))
    return [group_id.lower() for group_id in group_ids]
