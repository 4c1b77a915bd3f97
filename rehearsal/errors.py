"""Microsoft Graph's refusals, word for word, each made by a function that names its situation.

Bodies follow concepts/errors; the messages come from the pages and threads named at each function. Nothing else in
the practice tenant words an error of Graph.
"""

from collections.abc import Mapping

BAD_REQUEST = "Request_BadRequest"


class GraphError(Exception):
    """A request that Graph refuses.

    Attributes:
        status: HTTP status.
        code: Graph's machine-readable code.
        message: Graph's English text.
        retry_after: Seconds for the Retry-After header, if any.
        headers: Further headers.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        retry_after: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.headers = dict(headers or {})
        self.status = status
        self.code = code
        self.message = message
        self.retry_after = retry_after


def bad_request(message: str) -> GraphError:
    """Return the error of almost every faulty request: the message alone tells them apart."""
    return GraphError(400, BAD_REQUEST, message)


def not_found(object_id: str) -> GraphError:
    """Return the error of an object, or a reference, that is not there (concepts/errors)."""
    return GraphError(
        404,
        "Request_ResourceNotFound",
        f"Resource '{object_id}' does not exist or one of its queried reference-property objects are not present.",
    )


def no_such_path(segment: str) -> GraphError:
    """Return the error of an address that Graph does not serve (concepts/errors)."""
    return GraphError(400, "BadRequest", f"Resource not found for the segment '{segment}'.")


def invalid_identifier(text: str) -> GraphError:
    """Return the error of an id that is no GUID where only a GUID will do (concepts/errors)."""
    return bad_request(f"Invalid object identifier '{text}'.")


def access_denied() -> GraphError:
    """Return the error of a missing permission or a protected group (concepts/json-batching; CIPP issue 1407)."""
    return GraphError(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


def invalid_token(message: str) -> GraphError:
    """Return the error of a missing, unknown or expired bearer token (concepts/errors)."""
    return GraphError(401, "InvalidAuthenticationToken", message)


def no_premium() -> GraphError:
    """Return the error of sign-in data in a tenant without Entra ID P1 (microsoft-graph-docs issue 14120)."""
    return GraphError(
        403,
        "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
        "Neither tenant is B2C or tenant doesn't have premium license",
    )


def no_pim() -> GraphError:
    """Return the error of eligible roles in a tenant without Entra ID P2 (seen in public tools; wording unverified)."""
    return GraphError(
        400,
        "AadPremiumLicenseRequired",
        "The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license.",
    )


def too_many_requests(retry_after: int | None, headers: Mapping[str, str] | None = None) -> GraphError:
    """Return the error of throttling (concepts/throttling; microsoft-graph-docs-contrib issue 1975)."""
    return GraphError(429, "TooManyRequests", "Too many requests.", retry_after, headers)


def sync_state_not_found() -> GraphError:
    """Return the error of a delta token that is unknown or too old (concepts/delta-query-overview; wording unverified)."""
    return GraphError(
        400, "syncStateNotFound", "The sync state generation is not found; perform a full synchronization."
    )


def resync_required(root: str) -> GraphError:
    """Return the demand to start a delta query anew at the Location (concepts/delta-query-overview; wording unverified).

    Args:
        root: Address of Graph, with its version.
    """
    return GraphError(
        410,
        "resyncRequired",
        "Resync is required. Replace all local items with the server's version.",
        headers={"Location": f"{root}/users/delta?$deltatoken="},
    )


def bad_batch(message: str) -> GraphError:
    """Return the error of a batch that is refused as a whole (concepts/json-batching; wording unverified)."""
    return GraphError(400, "BadRequest", message)


def inherited_license() -> GraphError:
    """Return the error of removing by hand what a group hands out (learn user-assignlicense; Okta knowledge base)."""
    return bad_request(
        "User license is inherited from a group membership and it cannot be removed directly from the user."
    )


def no_such_license() -> GraphError:
    """Return the error of removing a license that the user does not have (user-assignlicense)."""
    return bad_request("User does not have a corresponding license.")


def missing_parameters(names: list[str]) -> GraphError:
    """Return the error of an incomplete assignLicense body (msgraph-sdk-powershell issue 3361)."""
    return bad_request(
        "One or more parameters of the operation 'assignLicense' are missing from the request payload. "
        f"The missing parameters are: {', '.join(names)}."
    )


def unknown_parameter(name: str) -> GraphError:
    """Return the error of an assignLicense body with a key that does not belong there (wording unverified)."""
    return bad_request(
        f"The parameter '{name}' in the request payload is not a valid parameter for the operation 'assignLicense'."
    )


def nothing_to_change() -> GraphError:
    """Return the error of two empty arrays (msgraph-sdk-powershell issue 3286)."""
    return bad_request("No license changes provided. At least one license to add or remove must be specified.")


def invalid_usage_location() -> GraphError:
    """Return the error of licensing somebody without a country (CIPP issue 783)."""
    return bad_request("License assignment cannot be done for user with invalid usage location.")


def no_available_licenses(sku_id: str) -> GraphError:
    """Return the error of a product that is used up (wording of the first part unverified)."""
    return bad_request(f"Subscription with SKU {sku_id} does not have any available licenses.")


def not_for_users(sku_id: str) -> GraphError:
    """Return the error of a product that is bought for the whole company (wording unverified)."""
    return bad_request(f"License {sku_id} applies to the company and cannot be assigned to a user.")


def dependent_plan(plan: str, needed: str) -> GraphError:
    """Return the error of a service plan that would lose another one it needs (stored sample 58122465735)."""
    return bad_request(f"License assignment failed because service plan {plan} depends on the service plan(s) {needed}")


def unknown_sku(sku_id: str) -> GraphError:
    """Return the error of a product that the company did not buy (wording unverified)."""
    return bad_request(f"License {sku_id} does not correspond to a valid company License.")


def synced_object() -> GraphError:
    """Return the error of writing what an on-premises directory masters (CIPP issue 1407)."""
    return bad_request(
        "Unable to update the specified properties for on-premises mastered Directory Sync objects or objects "
        "currently undergoing migration."
    )


def exchange_object() -> GraphError:
    """Return the error of writing a mail-enabled group (microsoft-graph-docs issue 4771)."""
    return bad_request(
        "Unable to update the specified properties for objects that have originated within an external service."
    )


def already_a_member() -> GraphError:
    """Return the error of adding somebody twice (group-post-members)."""
    return bad_request(
        "One or more added object references already exist for the following modified properties: 'members'."
    )


def not_contained() -> GraphError:
    """Return the error of DELETE without /$ref for apps that may not delete users (microsoft-graph-docs issue 7800)."""
    return GraphError(400, "BadRequest", "Write requests are only supported on contained entities")


def no_intune() -> GraphError:
    """Return the error of a tenant without an active Intune license (msgraph-beta-sdk-go issue 198)."""
    return GraphError(400, "BadRequest", "Request not applicable to target tenant.")


def no_mailbox() -> GraphError:
    """Return the error of mailbox settings of somebody who has no mailbox in the cloud (concepts/errors; Outlook REST)."""
    return GraphError(
        404, "MailboxNotEnabledForRESTAPI", "The mailbox is either inactive, soft-deleted, or is hosted on-premise."
    )
