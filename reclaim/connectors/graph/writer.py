"""The writes that Reclaim makes, behind the port `SeatWriter`, and the read that proves them.

No write is repeated here: whoever asked decides after reading back. Graph answers nearly every failure with the code
Request_BadRequest, so that the English message is all there is to tell them apart; a message that we do not know is a
failure that needs an admin, never a success. Messages: Okta knowledge base (inherited), HelloID connectors (no
corresponding license), CIPP issue 1407 (synced), microsoft-graph-docs issue 4771 (mail-enabled), Microsoft Graph docs,
concepts/errors.
"""

import re
from collections.abc import Awaitable, Collection, Mapping
from contextvars import ContextVar
from datetime import timedelta
from http import HTTPStatus
from uuid import UUID

import httpx
import structlog

from reclaim.connectors.graph.answers import NOT_FOUND, Answer
from reclaim.connectors.graph.batch import BatchedReads
from reclaim.connectors.graph.budget import PERCENTAGE, WriteBudget, percentage_of
from reclaim.connectors.graph.client import GraphClient, Priority
from reclaim.connectors.graph.fields import GUID, Record, guid
from reclaim.connectors.graph.parsing import parse_seats
from reclaim.domain.ids import GroupId, PersonId, ProductId
from reclaim.errors import DirectoryError, Refusal, WriteBackError
from reclaim.ports.checks import Permission
from reclaim.ports.directory import ReadBack, WriteResult

WRITE_LICENSES = "LicenseAssignment.ReadWrite.All"
WRITE_MEMBERS = "GroupMember.ReadWrite.All"

_NO_SUCH_LICENSE = "does not have a corresponding license"
_NEEDS = "depends on the service plan"
_LICENSE_REFUSALS = {
    "inherited from a group membership": "The license comes through a group and cannot be taken from the person "
    "directly. If the person holds it directly too, another product may depend on it",
    _NEEDS: "Another product of this person depends on this one. Remove that one first",
}
_NO_SEAT = "does not have any available licenses"
_NO_LOCATION = "invalid usage location"
_ASSIGN_REFUSALS = {
    _NO_SEAT: "No seat of this product is free",
    _NO_LOCATION: "The account has no usage location. Set one in Entra first",
    _NEEDS: "This product needs another one that the person does not have",
}
_REFUSED_FOR = {
    _NO_SEAT: Refusal.NO_AVAILABLE_LICENSES,
    _NO_LOCATION: Refusal.USAGE_LOCATION,
    _NEEDS: Refusal.NEEDS_ANOTHER,
}
_ALREADY_MEMBER = "added object references already exist"
_GROUP_REFUSALS = {
    "on-premises mastered": "The group is synchronized from an on-premises directory. Change the membership there",
    "originated within an external service": "The group is mail-enabled and belongs to Exchange. Change the membership "
    "there",
}
_DEPENDS = re.compile(rf"service plan (?P<plan>{GUID.pattern}) depends on the service plan\(s\) (?P<needed>.*)")
# Raised before a connection is there to carry the request.
_BEFORE_SENDING = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)

# Some services refuse without saying for how long (Microsoft Graph docs, concepts/throttling).
_UNSAID = timedelta(seconds=10)

_log = structlog.get_logger(__name__)


class GraphSeatWriter:
    """Takes direct licenses and group memberships away and gives them back, one write per call.

    Args:
        client: Writes.
        reads: Reads back, which the application that writes may have no permission for.
        budget: How much is written; None: as much as is asked.
    """

    def __init__(self, client: GraphClient, *, reads: GraphClient, budget: WriteBudget | None = None) -> None:
        self._client = client
        self._reads = BatchedReads(reads)
        self._budget = budget
        # Of the write that follows in the same task: the port asks for the turn first, so that nothing waits in between.
        self._priority: ContextVar[Priority | None] = ContextVar("priority", default=None)

    async def turn(self, *, clicked: bool) -> None:
        self._priority.set(Priority.HIGH if clicked else Priority.LOW)
        if self._budget is not None:
            await self._budget.turn(clicked=clicked)

    async def remove_direct(self, person: PersonId, *products: ProductId, client_request_id: str) -> WriteResult:
        ids = [_ids(person, "person", product, "product") for product in products]
        person_id, sku_ids = ids[0][0], [sku_id for _, sku_id in ids]
        answer = await self._assign_license(person_id, [], sku_ids, client_request_id)
        # One call does all or nothing: that one of several licenses is not there says nothing of the others.
        absent = _NO_SUCH_LICENSE if len(sku_ids) == 1 else None
        return _result(answer, needs=WRITE_LICENSES, refusals=_LICENSE_REFUSALS, absent=absent)

    async def leave_group(self, person: PersonId, group: GroupId, *, client_request_id: str) -> WriteResult:
        person_id, group_id = _ids(person, "person", group, "group")
        answer = await self._sent(
            self._client.delete_reference(
                f"/groups/{group_id}/members/{person_id}/$ref",
                client_request_id=_correlation(client_request_id),
                priority=self._priority.get(),
            ),
            client_request_id,
        )
        return _result(answer, needs=WRITE_MEMBERS, refusals=_GROUP_REFUSALS, absent=None)

    async def assign_direct(
        self, person: PersonId, product: ProductId, disabled_plans: Collection[str], *, client_request_id: str
    ) -> WriteResult:
        person_id, sku_id = _ids(person, "person", product, "product")
        plans = sorted(_plan(plan) for plan in disabled_plans)
        add: dict[str, object] = {"skuId": sku_id, "disabledPlans": plans}
        answer = await self._assign_license(person_id, [add], [], client_request_id)
        return _added(answer, needs=WRITE_LICENSES, refusals=_ASSIGN_REFUSALS)

    async def join_group(self, person: PersonId, group: GroupId, *, client_request_id: str) -> WriteResult:
        person_id, group_id = _ids(person, "person", group, "group")
        answer = await self._sent(
            self._client.post(
                f"/groups/{group_id}/members/$ref",
                self._client.reference_to(person_id),
                client_request_id=_correlation(client_request_id),
                priority=self._priority.get(),
            ),
            client_request_id,
        )
        if answer.status == HTTPStatus.BAD_REQUEST and _ALREADY_MEMBER in _said(answer):
            return WriteResult(status=answer.status, request_id=answer.request_id, already_absent=False)
        return _added(answer, needs=WRITE_MEMBERS, refusals=_GROUP_REFUSALS)

    async def _sent(self, sending: Awaitable[Answer], client_request_id: str) -> Answer:
        answer = await _sent(sending, client_request_id)
        if self._budget is not None:
            refused = answer.status == HTTPStatus.TOO_MANY_REQUESTS
            self._budget.heard(
                percentage=percentage_of(answer.headers.get(PERCENTAGE)),
                refused_for=(answer.retry_after or _UNSAID) if refused else None,
            )
        return answer

    async def read_back(self, person: PersonId, product: ProductId) -> ReadBack:
        person_id, sku_id = guid(person, "person"), guid(product, "product")
        address = f"/users/{person_id}?$select=id,licenseAssignmentStates"
        answer = await self._reads.one(address, needs=Permission.READ_PEOPLE)
        if answer.status == HTTPStatus.NOT_FOUND:
            return ReadBack(seat=None, request_id=answer.request_id)
        record = Record(answer.document(), "user")
        seats = parse_seats(record, PersonId(record.guid("id")))
        return ReadBack(
            seat=next((seat for seat in seats if seat.product_id == sku_id), None), request_id=answer.request_id
        )

    async def _assign_license(
        self, person_id: str, add: list[dict[str, object]], remove: list[str], client_request_id: str
    ) -> Answer:
        # Both lists are mandatory, also an empty one.
        return await self._sent(
            self._client.post(
                f"/users/{person_id}/assignLicense",
                {"addLicenses": add, "removeLicenses": remove},
                client_request_id=_correlation(client_request_id),
                priority=self._priority.get(),
            ),
            client_request_id,
        )


def _ids(person: str, first: str, other: str, second: str) -> tuple[str, str]:
    try:
        return guid(person, first), guid(other, second)
    except DirectoryError as error:
        raise WriteBackError(error.message, permanent=True, maybe_applied=False) from error


def _plan(plan: str) -> str:
    try:
        return guid(plan, "service plan")
    except DirectoryError as error:
        raise WriteBackError(error.message, permanent=True, maybe_applied=False) from error


def _correlation(client_request_id: str) -> str:
    """Return the id as it is, once it is known to be a GUID (with or without hyphens), which Graph asks for.

    Raises:
        ValueError: It is none. This is a programming error.
    """
    UUID(hex=client_request_id)
    return client_request_id


async def _sent(sending: Awaitable[Answer], client_request_id: str) -> Answer:
    """Await the one answer of a write.

    Raises:
        WriteBackError: There is none; `maybe_applied` unless the request certainly never left.
    """
    try:
        answer = await sending
    except DirectoryError as error:  # no token
        raise WriteBackError(
            error.message, retry_after=error.retry_after, permanent=error.permanent, maybe_applied=False
        ) from error
    except _BEFORE_SENDING as error:
        _log.warning("graph write was not sent", client_request_id=client_request_id, error=type(error).__name__)
        raise WriteBackError("Microsoft Graph cannot be reached. Nothing was changed.", maybe_applied=False) from error
    except (httpx.RequestError, TimeoutError) as error:
        _log.warning("graph write got no answer", client_request_id=client_request_id, error=type(error).__name__)
        raise WriteBackError(
            "The answer of Microsoft Graph was lost, so the change may have been made.", maybe_applied=True
        ) from error
    _log.info(
        "graph answered a write",
        status=answer.status,
        graph_code=answer.fault.code,
        request_id=answer.request_id,
        client_request_id=client_request_id,
    )
    return answer


def _result(answer: Answer, *, needs: str, refusals: Mapping[str, str], absent: str | None) -> WriteResult:
    """Return what an answer to a write means.

    Args:
        answer: The answer.
        needs: The application permission of the write.
        refusals: What to tell an admin, by a fragment of Graph's message.
        absent: The fragment that says that there was nothing to remove, if this write has one.
    """
    said = _said(answer)
    gone = answer.status == HTTPStatus.NOT_FOUND and answer.fault.code == NOT_FOUND
    not_held = answer.status == HTTPStatus.BAD_REQUEST and absent is not None and absent in said
    if gone or not_held:
        return WriteResult(status=answer.status, request_id=answer.request_id, already_absent=True)
    return _added(answer, needs=needs, refusals=refusals)


def _added(answer: Answer, *, needs: str, refusals: Mapping[str, str]) -> WriteResult:
    """Return what an answer to a write means that has nothing to find gone: a 404 is a failure, not a success."""
    if answer.status == HTTPStatus.OK and not answer.is_document:
        # A proxy's page: whether Graph has seen the request is not known.
        raise _passing(answer, "Something else than Microsoft Graph answered.", maybe_applied=True)
    if answer.status in (HTTPStatus.OK, HTTPStatus.NO_CONTENT):
        return WriteResult(status=answer.status, request_id=answer.request_id, already_absent=False)
    if answer.status == HTTPStatus.BAD_REQUEST:
        fragment = next((one for one in refusals if one in _said(answer)), "")
        unknown = f"Microsoft Graph refused the change ({answer.fault.code}); it needs an admin"
        raise _final(
            answer,
            refusals.get(fragment, unknown),
            refusal=_REFUSED_FOR.get(fragment),
            plan_needs=_plan_needs(_said(answer)),
        )
    raise _by_status(answer, needs)


def _said(answer: Answer) -> str:
    return " ".join((answer.fault.message or "").split()).casefold()


def _by_status(answer: Answer, needs: str) -> WriteBackError:
    status = answer.status
    if status == HTTPStatus.FORBIDDEN:
        return _final(
            answer,
            f"Microsoft Graph does not let Reclaim make this change: the application permission {needs} is missing or "
            "not consented to, or the group is dynamic or role-assignable, or a restricted management unit protects it",
        )
    if status == HTTPStatus.UNAUTHORIZED:
        return _final(answer, "Microsoft Graph does not accept the token of the login service; nothing was changed")
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.CONFLICT):
        # 409 is Directory_ConcurrencyViolation: refused because of another change under way, to be tried again.
        return _passing(answer, "Microsoft Graph is busy and asks to try again later.", maybe_applied=False)
    if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return _final(answer, f"Microsoft Graph refused the change with {status}; it needs an admin")
    return _passing(
        answer, "Microsoft Graph failed while it made the change, so it may have been made.", maybe_applied=True
    )


def _plan_needs(said: str) -> dict[str, frozenset[str]]:
    """Return which service plan needs which, where a refusal names both by id. Of several that are named, one is enough."""
    found = _DEPENDS.search(said)
    needed = frozenset(GUID.findall(found["needed"])) if found else frozenset()
    return {found["plan"]: needed} if found and needed else {}


def _final(
    answer: Answer,
    message: str,
    *,
    refusal: Refusal | None = None,
    plan_needs: Mapping[str, frozenset[str]] | None = None,
) -> WriteBackError:
    return WriteBackError(
        f"{message}.",
        permanent=True,
        maybe_applied=False,
        status=answer.status,
        request_id=answer.request_id,
        refusal=refusal,
        plan_needs=plan_needs,
    )


def _passing(answer: Answer, message: str, *, maybe_applied: bool) -> WriteBackError:
    return WriteBackError(
        message,
        retry_after=answer.retry_after,
        maybe_applied=maybe_applied,
        status=answer.status,
        request_id=answer.request_id,
    )
