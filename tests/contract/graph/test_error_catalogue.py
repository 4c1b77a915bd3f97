"""Every row of the catalogue of Graph's errors, over TLS: armed in the practice tenant, told by the connector.

A row is what Microsoft answers; what is expected is what the product does next: whether a read is tried again, whether a
write may have landed and must be read back, whether an admin has to mend something, and what they are told. The sources of
the rows stand in the research notes on Graph (section 2): Microsoft's docs, and issues of users who met them.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest

from reclaim.connectors.graph.client import PREMIUM_TRIES, TRIES
from reclaim.domain.ids import GroupId, PersonId, ProductId
from reclaim.errors import DirectoryError, Refusal, WriteBackError
from reclaim.ports.directory import SignInSupport, WriteResult, lost_track, sign_in_support
from tests.contract.graph.practice import Stage, a_seat
from tests.contract.graph.support import WRITE_ID

BAD = "Request_BadRequest"
ASSIGN, LEAVE = "/assignLicense", "/members/.*/\\$ref"
GROUP = GroupId("e3a6a7dc-1cbe-4a52-8b3c-6d2a1e36f0a1")


@dataclass(frozen=True)
class Row:
    """One row: where it comes, what Microsoft says, and what of our error must hold.

    Attributes:
        says: A part of what an admin is told.
        absent: It means that there is nothing to remove: a success, to be read back.
    """

    name: str
    write: str
    status: int
    code: str
    message: str
    says: str = "^$"
    permanent: bool = True
    maybe_applied: bool = False
    refusal: Refusal | None = None
    absent: bool = False


WRITES = (
    Row(
        "assign_inherited_from_a_group",
        "remove",
        400,
        BAD,
        "User license is inherited from a group membership and it cannot be removed directly from the user.",
        says="comes through a group and cannot be taken from the person directly",
    ),
    Row(
        "assign_no_corresponding_license",
        "remove",
        400,
        BAD,
        "User does not have a corresponding license.",
        absent=True,
    ),
    Row(
        "assign_parameters_missing",
        "remove",
        400,
        BAD,
        "One or more parameters of the operation 'assignLicense' are missing from the request payload. The missing "
        "parameters are: addLicenses.",
        says="needs an admin",
    ),
    Row(
        "assign_no_changes_provided",
        "remove",
        400,
        BAD,
        "No license changes provided. At least one license to add or remove must be specified.",
        says="needs an admin",
    ),
    Row(
        "assign_service_plan_depends",
        "remove",
        400,
        BAD,
        "License assignment failed because service plan 7547a3fe-08ee-4ccb-b430-5077c5041653 depends on the service "
        "plan(s) efb87545-963c-4e0d-99df-69c6916d9eb0",
        says="Remove that one first",
        refusal=Refusal.NEEDS_ANOTHER,
    ),
    Row(
        "undo_service_plan_depends",
        "assign",
        400,
        BAD,
        "License assignment failed because service plan 4828c8ec-dc2e-4779-b502-87ac9ce28ab7 depends on the service "
        "plan(s) 0feaeb32-d00e-4d66-bd5a-43b5b83db82c",
        says="needs another one",
        refusal=Refusal.NEEDS_ANOTHER,
    ),
    Row(
        "undo_invalid_usage_location",
        "assign",
        400,
        BAD,
        "License assignment cannot be done for user with invalid usage location.",
        says="no usage location",
        refusal=Refusal.USAGE_LOCATION,
    ),
    Row(
        "undo_no_available_licenses",
        "assign",
        400,
        BAD,
        "Subscription with SKU c5928f49-12ba-48f7-ada3-0d743a3601d5 does not have any available licenses.",
        says="No seat of this product is free",
        refusal=Refusal.NO_AVAILABLE_LICENSES,
    ),
    Row(
        "resource_not_found_on_remove",
        "remove",
        404,
        "Request_ResourceNotFound",
        "Resource 'x' does not exist or one of its queried reference-property objects are not present.",
        absent=True,
    ),
    Row(
        "resource_not_found_on_leave",
        "leave",
        404,
        "Request_ResourceNotFound",
        "Resource 'x' does not exist or one of its queried reference-property objects are not present.",
        absent=True,
    ),
    Row(
        "denied_on_remove",
        "remove",
        403,
        "Authorization_RequestDenied",
        "Insufficient privileges to complete the operation.",
        says="LicenseAssignment.ReadWrite.All is missing",
    ),
    Row(
        "denied_on_leave_may_be_a_dynamic_role_or_restricted_group",
        "leave",
        403,
        "Authorization_RequestDenied",
        "Insufficient privileges to complete the operation.",
        says="dynamic or role-assignable, or a restricted management unit protects it",
    ),
    Row(
        "leave_of_a_synced_group",
        "leave",
        400,
        BAD,
        "Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently "
        "undergoing migration.",
        says="synchronized from an on-premises directory",
    ),
    Row(
        "leave_of_a_mail_enabled_group",
        "leave",
        400,
        BAD,
        "Unable to update the specified properties for objects that have originated within an external service.",
        says="mail-enabled and belongs to Exchange",
    ),
    *(
        Row(
            f"concurrency_violation_{status}",
            "remove",
            status,
            "Directory_ConcurrencyViolation",
            "Error due to concurrent requests being made to the tenant. Please wait briefly and retry.",
            says="asks to try again later" if status == 409 else "may have been made",
            permanent=False,
            maybe_applied=status == 503,  # as any 5xx: read again first
        )
        for status in (409, 503)
    ),
    Row(
        "too_many_requests",
        "remove",
        429,
        "TooManyRequests",
        "Too many requests from Identifier:app under category:aadgraph.app.tenant_large.",
        says="asks to try again later",
        permanent=False,
    ),
    *(
        Row(
            f"service_error_{status}",
            "leave",
            status,
            "Service_InternalServerError",
            "An error occurred.",
            says="may have been made",
            permanent=False,
            maybe_applied=True,
        )
        for status in (500, 502, 503, 504)
    ),
)


@pytest.mark.parametrize("row", WRITES, ids=lambda row: row.name)
async def test_error_of_a_write(stage: Stage, row: Row) -> None:
    person, product = await a_seat(stage, "direct")
    path = {"remove": ASSIGN, "assign": ASSIGN, "leave": LEAVE}[row.write]
    await stage.fail_next(kind="status", path=path, status=row.status, code=row.code, message=row.message)

    write = _writes(stage, person, product)[row.write]
    if row.absent:
        assert (await write()).already_absent
    else:
        with pytest.raises(WriteBackError, match=row.says) as raised:
            await write()
        error = raised.value
        assert (error.permanent, error.maybe_applied, error.refusal) == (row.permanent, row.maybe_applied, row.refusal)
        assert (error.status, bool(error.request_id)) == (row.status, True)
    # Whatever it was, it is told once: a write is never repeated here.
    calls = [one for one in await stage.control("GET", "/calls") if one["method"] != "GET" and "/v1.0/" in one["path"]]
    assert len(calls) == 1


async def test_error_too_many_requests_hands_on_how_long_to_wait(stage: Stage) -> None:
    person, product = await a_seat(stage, "direct")
    await stage.fail_next(kind="throttle", path=ASSIGN, retry_after=120)

    with pytest.raises(WriteBackError) as raised:
        await stage.graph.writer.remove_direct(person, product, client_request_id=WRITE_ID)

    assert raised.value.retry_after == timedelta(seconds=120)


async def test_error_delete_without_ref_is_never_sent(stage: Stage) -> None:
    """ "Write requests are only supported on contained entities": the slip that elsewhere deletes an account."""
    with pytest.raises(ValueError, match="only references"):
        await stage.graph.writing.delete_reference(f"/groups/{GROUP}/members/{GROUP}", client_request_id=WRITE_ID)

    assert all(one["method"] != "DELETE" for one in await stage.control("GET", "/calls"))


@dataclass(frozen=True)
class Read:
    """One row for a read: how often it is tried before it is told."""

    name: str
    status: int
    code: str
    tries: int
    permanent: bool
    says: str


READS = (
    Read("denied", 403, "Authorization_RequestDenied", 1, True, "User.Read.All is missing"),
    Read("invalid_token_twice", 401, "InvalidAuthenticationToken", 2, True, "does not accept the token"),
    Read("not_found", 404, "Request_ResourceNotFound", 1, True, "does not know what Reclaim asked for"),
    Read("too_many_requests", 429, "TooManyRequests", TRIES, False, "busy or out of order"),
    Read("too_many_requests_of_reports", 429, "UnknownError", TRIES, False, "busy or out of order"),
    *(
        Read(f"service_error_{status}", status, "Service_Error", TRIES, False, "busy")
        for status in (500, 502, 503, 504)
    ),
    Read("concurrency_violation_503", 503, "Directory_ConcurrencyViolation", TRIES, False, "busy"),
)


@pytest.mark.parametrize("row", READS, ids=lambda row: row.name)
async def test_error_of_a_read(stage: Stage, row: Read) -> None:
    await stage.fail_next(kind="status", path="/users", status=row.status, code=row.code, times=None)

    with pytest.raises(DirectoryError, match=row.says) as raised:
        await stage.graph.directory.people(None)

    assert (raised.value.permanent, raised.value.status) == (row.permanent, row.status)
    asked = [one for one in await stage.control("GET", "/calls") if "/v1.0/users" in one["path"]]
    assert len(asked) == row.tries


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ({"kind": "resync"}, 410),  # with the Location of a new round, which is not followed: all is read anew
        *(({"kind": "status", "status": status, "code": "syncStateNotFound"}, status) for status in (400, 404, 410)),
    ],
)
async def test_error_delta_means_a_full_sync(stage: Stage, fault: dict[str, object], status: int) -> None:
    link = (await stage.graph.directory.changes(None)).link
    await stage.fail_next(path="/users/delta", times=None, **fault)

    with pytest.raises(DirectoryError, match="no longer knows since when") as raised:
        await stage.graph.directory.changes(link)

    assert (raised.value.status, raised.value.permanent, lost_track(raised.value)) == (status, True, True)
    asked = [one for one in await stage.control("GET", "/calls") if "/users/delta" in one["path"]]
    assert len(asked) == 2  # the link, and the one refusal


@pytest.mark.parametrize("times", [1, PREMIUM_TRIES - 1])
async def test_error_no_premium_that_passes_is_no_failure(stage: Stage, times: int) -> None:
    await stage.fail_next(kind="premium", path="signInActivity", times=times)

    assert (await stage.graph.directory.sign_ins(None)).rows


async def test_error_no_premium_is_believed_when_it_stays(stage: Stage) -> None:
    await stage.fail_next(kind="premium", path="signInActivity", times=None)

    with pytest.raises(DirectoryError, match="no Entra ID P1") as raised:
        await stage.graph.directory.sign_ins(None)

    assert sign_in_support(raised.value) is SignInSupport.NO_PREMIUM
    asked = [one for one in await stage.control("GET", "/calls") if "signInActivity" in one["path"]]
    assert len(asked) == PREMIUM_TRIES


async def test_error_permission_missing_comes_under_a_second_code_for_sign_ins(stage: Stage) -> None:
    await stage.fail_next(
        kind="status", path="signInActivity", status=403, code="Authentication_MSGraphPermissionMissing", times=None
    )

    with pytest.raises(DirectoryError, match=r"AuditLog\.Read\.All is missing") as raised:
        await stage.graph.directory.sign_ins(None)

    assert sign_in_support(raised.value) is SignInSupport.NO_PERMISSION


async def test_error_invalid_token_once_is_followed_by_a_new_one(stage: Stage) -> None:
    await stage.graph.directory.skus()
    await stage.control("POST", "/tokens/expire", {})

    assert (await stage.graph.directory.skus()).rows


def _writes(stage: Stage, person: PersonId, product: ProductId) -> dict[str, Callable[[], Awaitable[WriteResult]]]:
    writer = stage.graph.writer
    return {
        "remove": lambda: writer.remove_direct(person, product, client_request_id=WRITE_ID),
        "assign": lambda: writer.assign_direct(person, product, (), client_request_id=WRITE_ID),
        "leave": lambda: writer.leave_group(person, GROUP, client_request_id=WRITE_ID),
    }
