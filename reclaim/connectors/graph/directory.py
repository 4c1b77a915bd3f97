"""The Entra directory behind the port `Directory`: which request answers which question.

A page is whole or it is an error. What one object means stands in `parsing`, how a request is made in `client`.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import quote

from reclaim.connectors.graph.answers import NO_PIM, UNSUPPORTED_QUERY, Answer
from reclaim.connectors.graph.batch import BatchedReads
from reclaim.connectors.graph.client import GraphClient
from reclaim.connectors.graph.fields import Record, guid
from reclaim.connectors.graph.parsing import (
    GROUP_FIELDS,
    MANAGER,
    PERSON_FIELDS,
    SIGN_INS,
    parse_group,
    parse_person,
    parse_sign_in_row,
    parse_sku,
)
from reclaim.connectors.graph.sign_in_pace import SignInPace
from reclaim.connectors.graph.sku_names import SkuNames
from reclaim.domain.directory import Group, LivePerson, MailboxPurpose, Sku
from reclaim.domain.ids import GroupId, PersonId
from reclaim.errors import DirectoryError
from reclaim.ports.checks import Permission
from reclaim.ports.directory import ChangesPage, Page, PeopleNow, PersonRow, Request, SignInRow

# With $expand a page has at most 100 rows whatever is asked (Microsoft Graph known issue 13635).
PEOPLE_PER_PAGE = 100
# Sign-in activity may be asked 10 times a minute, so the pages are large (Microsoft Graph docs, throttling-limits).
# Some tenants answer more than 120 with an error (microsoftgraph/msgraph-sdk-powershell issue 1898).
SIGN_INS_PER_PAGE, SIGN_INS_PER_SMALL_PAGE = 500, 120
MOST_PER_PAGE = 999
_GROUPS_SHOWN = 5  # of one name: more are not told apart by reading on
# Of whom we hear: those in whom one of these changed. A select cannot be changed later, as the link keeps it, and what
# changed is read anew, because assignment states are not among what a delta query tracks for sure.
CHANGE_FIELDS = (
    "displayName,userPrincipalName,mail,accountEnabled,userType,department,usageLocation,assignedLicenses,manager"
)
_FROM_NOW = f"/users/delta?$select={CHANGE_FIELDS}&$deltaToken=latest"
_CHANGES = "changes "

T = TypeVar("T")


class GraphDirectory:
    """Reads people, seats, sign-ins, products and groups."""

    def __init__(self, client: GraphClient, names: SkuNames | None = None, pace: SignInPace | None = None) -> None:
        self._client = client
        self._pace = pace
        self._batches = BatchedReads(client)
        self._names = names or SkuNames()

    async def skus(self) -> Page[Sku]:
        page = await self._page(
            "skus", "/subscribedSkus", None, Permission.READ_LICENSES, "SKU", lambda row: parse_sku(row, self._names)
        )
        if page.next_cursor is not None:
            raise DirectoryError("Microsoft Graph split the list of products, which it never did.", permanent=True)
        return page

    async def people(self, cursor: str | None) -> Page[PersonRow]:
        first = f"/users?$select={PERSON_FIELDS}&$expand={MANAGER}&$top={PEOPLE_PER_PAGE}"
        return await self._page("people", first, cursor, Permission.READ_PEOPLE, "user", parse_person)

    def time_for_sign_ins(self, people: int) -> timedelta | None:
        return self._pace.time_for(people, rows_a_request=SIGN_INS_PER_PAGE) if self._pace is not None else None

    async def sign_ins(self, cursor: str | None) -> Page[SignInRow]:
        try:
            return await self._sign_ins(cursor, SIGN_INS_PER_PAGE)
        except DirectoryError as error:
            if cursor is not None or error.status != HTTPStatus.BAD_REQUEST:
                raise
        return await self._sign_ins(None, SIGN_INS_PER_SMALL_PAGE)

    async def changes(self, cursor: str | None) -> ChangesPage:
        address = _FROM_NOW if cursor is None else cursor.removeprefix(_CHANGES)
        if cursor is not None and not cursor.startswith(_CHANGES):
            raise DirectoryError("A read of changes was continued with the cursor of another.", permanent=True)
        answer = await self._client.get(address, needs=Permission.READ_PEOPLE)
        rows, following = self._client.rows(answer, "user")
        link = Record(answer.document(), "page").text_or_none("@odata.deltaLink")
        if link is not None:
            self._client.within(link)
        if (following is None) == (link is None):
            raise DirectoryError("Microsoft Graph did not say how the changes go on.", permanent=True)
        return ChangesPage(
            ids=tuple(dict.fromkeys(PersonId(row.guid("id")) for row in rows)),
            next_cursor=None if following is None else _CHANGES + following,
            link=None if link is None else _CHANGES + link,
            request=_request(answer, len(rows)),
        )

    async def people_now(self, people: Sequence[PersonId]) -> PeopleNow:
        asked = [guid(one, "person") for one in people]
        addresses = [f"/users/{one}?$select={PERSON_FIELDS}&$expand={MANAGER}" for one in asked]
        answers, batches = await self._batches.get(addresses, needs=Permission.READ_PEOPLE)
        rows = [
            parse_person(Record(answer.document(), "user"))
            for answer in answers
            if answer.status != HTTPStatus.NOT_FOUND
        ]
        gone = [
            PersonId(one) for one, answer in zip(asked, answers, strict=True) if answer.status == HTTPStatus.NOT_FOUND
        ]
        if [row.person.id for row in rows] != [one for one in asked if one not in gone]:
            raise DirectoryError("Microsoft Graph answered with another person than it was asked for.", permanent=True)
        return PeopleNow(
            rows=tuple(rows), gone=tuple(gone), requests=tuple(_request(batch, len(asked)) for batch in batches)
        )

    async def groups(self, cursor: str | None) -> Page[Group]:
        first = f"/groups?$select={GROUP_FIELDS}&$top={MOST_PER_PAGE}"
        page = await self._page("groups", first, cursor, Permission.READ_GROUPS, "group", parse_group)
        licensed = [await self._with_nesting(group) for group in page.rows if group.sku_ids]
        return replace(page, rows=tuple(licensed))

    async def group_members(self, group: GroupId, cursor: str | None) -> Page[PersonId]:
        group_id = guid(group, "group")
        first = f"/groups/{group_id}/members/microsoft.graph.user?$select=id&$top={MOST_PER_PAGE}"
        stream = f"members-{group_id}"
        return await self._page(
            stream, first, cursor, Permission.READ_GROUPS, "user", lambda row: PersonId(row.guid("id"))
        )

    async def everyone_in(self, group: GroupId, cursor: str | None) -> Page[PersonId]:
        group_id = guid(group, "group")
        first = f"/groups/{group_id}/transitiveMembers/microsoft.graph.user?$select=id&$top={MOST_PER_PAGE}"
        stream = f"everyone-{group_id}"
        return await self._page(
            stream, first, cursor, Permission.READ_GROUPS, "user", lambda row: PersonId(row.guid("id"))
        )

    async def groups_named(self, name: str) -> list[Group]:
        # Text in a filter stands between quotes, and a quote in it is written twice (concepts/query-parameters).
        text = quote(name.replace("'", "''"), safe="")
        address = f"/groups?$filter=displayName%20eq%20'{text}'&$select={GROUP_FIELDS}&$top={_GROUPS_SHOWN}"
        answer = await self._client.get(address, needs=Permission.READ_GROUPS)
        rows, _ = self._client.rows(answer, "group")
        return [parse_group(row) for row in rows]

    async def role_holders(self, cursor: str | None) -> Page[str]:
        # Active assignments at any scope; the principal is a user, a role-assignable group or an application
        # (Microsoft Graph docs, resources/unifiedroleassignment).
        return await self._page(
            "role-holders",
            "/roleManagement/directory/roleAssignments",
            cursor,
            Permission.READ_ROLES,
            "role assignment",
            lambda row: row.guid("principalId"),
        )

    async def role_eligible(self, cursor: str | None) -> Page[str]:
        # Microsoft Graph docs, rbacapplication-list-roleeligibilityscheduleinstances: RoleManagement.Read.Directory opens
        # it too. Without Entra ID P2 the tenant has no such roles, and Graph answers 400.
        try:
            return await self._page(
                "role-eligible",
                "/roleManagement/directory/roleEligibilityScheduleInstances",
                cursor,
                Permission.READ_ROLES,
                "role eligibility",
                lambda row: row.guid("principalId"),
            )
        except DirectoryError as error:
            if error.graph_code != NO_PIM:
                raise
            raise DirectoryError(
                "The tenant has no Privileged Identity Management.", permanent=True, status=HTTPStatus.NOT_FOUND
            ) from error

    async def live_person(self, person: PersonId, *, with_sign_ins: bool) -> LivePerson | None:
        person_id = guid(person, "person")
        answer, groups = await asyncio.gather(
            self._user_with_sign_ins(person_id) if with_sign_ins else self._user(person_id),
            self._direct_groups(person_id),
        )
        if answer.status == HTTPStatus.NOT_FOUND or groups is None:
            return None
        row = parse_person(Record(answer.document(), "user"), sign_ins_read_at=answer.at if with_sign_ins else None)
        return LivePerson(person=row.person, seats=row.seats, direct_group_ids=groups)

    async def _user(self, person_id: str) -> Answer:
        address = f"/users/{person_id}?$select={PERSON_FIELDS}&$expand={MANAGER}"
        return await self._batches.one(address, needs=Permission.READ_PEOPLE)

    async def _user_with_sign_ins(self, person_id: str) -> Answer:
        async with self._turn():
            return await self._client.get(
                f"/users/{person_id}?$select={PERSON_FIELDS},{SIGN_INS}&$expand={MANAGER}",
                needs=f"{Permission.READ_PEOPLE} or {Permission.READ_SIGN_INS}",
                may_be_missing=True,
            )

    async def mailbox_purpose(self, person: PersonId) -> MailboxPurpose:
        address = f"/users/{guid(person, 'person')}/mailboxSettings/userPurpose"
        try:
            answer = await self._client.get(address, needs=Permission.READ_MAILBOXES)
        except DirectoryError as error:
            # MailboxNotEnabledForRESTAPI, or the person is gone: there is nothing to hold.
            if error.status == HTTPStatus.NOT_FOUND:
                return MailboxPurpose.NONE
            raise
        found = Record(answer.document(), "mailbox setting").text("value").lower()
        return next((one for one in MailboxPurpose if one.value == found), MailboxPurpose.OTHERS)

    async def group(self, group: GroupId) -> Group | None:
        address = f"/groups/{guid(group, 'group')}?$select={GROUP_FIELDS}"
        answer = await self._client.get(address, needs=Permission.READ_GROUPS, may_be_missing=True)
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        return await self._with_nesting(parse_group(Record(answer.document(), "group")))

    async def still_through(self, person: PersonId, group: GroupId) -> tuple[str, ...]:
        direct = await self._direct_groups(guid(person, "person"))
        if not direct:
            return ()
        found: dict[GroupId, str] = {}
        seen: set[GroupId] = {group}
        level = [GroupId(guid(group, "group"))]
        while level:
            below: list[GroupId] = []
            for one in level:
                for inner, name in await self._groups_within(one):
                    if inner not in seen:
                        seen.add(inner)
                        below.append(inner)
                        if inner in direct:
                            found[inner] = name
            level = below
        return tuple(found.values())

    async def _groups_within(self, group: GroupId) -> list[tuple[GroupId, str]]:
        found: list[tuple[GroupId, str]] = []
        address: str | None = (
            f"/groups/{group}/members/microsoft.graph.group?$select=id,displayName&$top={MOST_PER_PAGE}"
        )
        while address is not None:
            try:
                answer = await self._client.get(address, needs=Permission.READ_GROUPS, may_be_missing=True)
            except DirectoryError as error:
                if error.graph_code == UNSUPPORTED_QUERY:
                    return found
                raise
            if answer.status == HTTPStatus.NOT_FOUND:
                return found
            rows, address = self._client.rows(answer, "group")
            found += [(GroupId(row.guid("id")), row.text_or_none("displayName") or row.guid("id")) for row in rows]
        return found

    async def _sign_ins(self, cursor: str | None, rows: int) -> Page[SignInRow]:
        first = f"/users?$select=id,{SIGN_INS}&$top={rows}"
        async with self._turn():
            return await self._page("sign-ins", first, cursor, Permission.READ_SIGN_INS, "user", parse_sign_in_row)

    def _turn(self) -> AbstractAsyncContextManager[None]:
        return self._pace.turn() if self._pace is not None else nullcontext()

    async def _direct_groups(self, person_id: str) -> tuple[GroupId, ...] | None:
        """Return the groups that a person is directly in; None if the person is gone by now."""
        found: list[GroupId] = []
        first = f"/users/{person_id}/memberOf/microsoft.graph.group?$select=id&$top={MOST_PER_PAGE}"
        answer = await self._batches.one(first, needs=Permission.READ_GROUPS)
        while answer.status != HTTPStatus.NOT_FOUND:
            rows, following = self._client.rows(answer, "group")
            found += [GroupId(row.guid("id")) for row in rows]
            if following is None:
                return tuple(found)
            answer = await self._client.get(following, needs=Permission.READ_GROUPS, may_be_missing=True)
        return None

    async def _with_nesting(self, group: Group) -> Group:
        """Return the group with `has_nested_groups`; None, which blocks writes, where Graph does not say.

        A Microsoft 365 group cannot contain groups, and asking for them is an error 400 Request_UnsupportedQuery
        (Microsoft Graph docs, api/group-list-transitivemembers).
        """
        if group.unified:
            return replace(group, has_nested_groups=False)
        address: str | None = f"/groups/{group.id}/members/microsoft.graph.group?$select=id&$top=1"
        while address is not None:
            try:
                answer = await self._client.get(address, needs=Permission.READ_GROUPS)
            except DirectoryError as error:
                if error.graph_code == UNSUPPORTED_QUERY:
                    return group
                raise
            rows, address = self._client.rows(answer, "group")
            if rows:
                return replace(group, has_nested_groups=True)
        return replace(group, has_nested_groups=False)

    async def _page(
        self, stream: str, first: str, cursor: str | None, needs: str, what: str, parse: Callable[[Record], T]
    ) -> Page[T]:
        """Read one page.

        A cursor is the nextLink behind the name of its stream: a cursor of another stream would give rows without the
        properties that this one asks for, and a person without `signInActivity` reads as never seen.
        """
        mark = f"{stream} "
        if cursor is not None and not cursor.startswith(mark):
            raise DirectoryError("A read of the directory was continued with the cursor of another.", permanent=True)
        address = first if cursor is None else cursor.removeprefix(mark)
        answer = await self._client.get(address, needs=needs)
        rows, following = self._client.rows(answer, what)
        return Page(
            rows=tuple(parse(row) for row in rows),
            next_cursor=None if following is None else mark + following,
            request=_request(answer, len(rows)),
        )


def _request(answer: Answer, rows: int) -> Request:
    return Request(url=answer.url, request_id=answer.request_id, rows=rows, sha256=answer.sha256, at=answer.at)
