"""Every error that a person or another part of the product can meet.

ReclaimError
 ├─ InvalidRequest      malformed input: unknown SKU, closing date in the past
 ├─ NotAuthorized       not this item's reviewer, not an admin
 ├─ NotFound            no such campaign, seat, person
 ├─ Conflict            the world moved on: campaign closed, already decided; the card is redrawn, not just refused
 ├─ GuardrailExceeded   carries selected, limit, population
 ├─ NoSignInData        the tenant gives no sign-in data; activity rules cannot be applied
 └─ PortError           an outside system failed; carries retry_after and permanent
     ├─ DirectoryError  reading Microsoft Graph
     ├─ WriteBackError  writing to Microsoft Graph; `maybe_applied` says whether the change may have landed
     └─ DeliveryError   a chat message

Each class has a stable `code`; the message is fit for the person who clicked. Only `bot/replies.py` turns them into cards.
"""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import ClassVar


class ReclaimError(Exception):
    """Something that Reclaim refuses or cannot do, said so that the reader knows what to do next."""

    code: ClassVar[str] = "reclaim_error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidRequest(ReclaimError):
    """The input is malformed; `field` names the form field or argument to mend, if there is one."""

    code = "invalid_request"

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class NotAuthorized(ReclaimError):
    """The actor may not do this."""

    code = "not_authorized"


class NotFound(ReclaimError):
    """There is no such thing, or the actor may not know that there is."""

    code = "not_found"


class Conflict(ReclaimError):
    """The world moved on since the actor saw it; the present state must be shown."""

    code = "conflict"


class GuardrailExceeded(ReclaimError):
    """A removal or a campaign is larger than the installation allows; `about` names the SKU whose share it is."""

    code = "guardrail_exceeded"

    def __init__(
        self,
        message: str,
        *,
        selected: int,
        limit: int,
        population: int | None = None,
        about: str | None = None,
        hard: bool,
    ) -> None:
        super().__init__(message)
        self.about = about
        self.selected = selected
        self.limit = limit
        self.population = population
        self.hard = hard


class NoSignInData(ReclaimError):
    """Microsoft gives no sign-in data for this tenant, so no activity rule may be applied."""

    code = "no_sign_in_data"


class PortError(ReclaimError):
    """An outside system failed.

    Attributes:
        retry_after: How long the system asked us to wait, or None.
        permanent: True if trying again without a change elsewhere cannot help.
    """

    code = "port_error"

    def __init__(self, message: str, *, retry_after: timedelta | None = None, permanent: bool = False) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.permanent = permanent


class DirectoryError(PortError):
    """Reading the directory failed. `status` and `graph_code` are Microsoft Graph's, where it answered at all."""

    code = "directory_error"

    def __init__(
        self,
        message: str,
        *,
        retry_after: timedelta | None = None,
        permanent: bool = False,
        status: int | None = None,
        graph_code: str | None = None,
    ) -> None:
        super().__init__(message, retry_after=retry_after, permanent=permanent)
        self.status = status
        self.graph_code = graph_code


class ConcealedNames(DirectoryError):
    """A usage report names nobody: the tenant hides names in its reports."""

    code = "concealed_names"


class Refusal(StrEnum):
    """What Microsoft refuses a write for, and what only an admin can mend."""

    NO_AVAILABLE_LICENSES = "no_available_licenses"
    USAGE_LOCATION = "usage_location"
    NEEDS_ANOTHER = "needs_another"  # license, without which it does not work


class WriteBackError(PortError):
    """Writing to the directory failed.

    Attributes:
        maybe_applied: True if the change may have landed all the same (5xx, lost answer): read back before any retry.
        status: Microsoft Graph's HTTP status, or None where no answer came.
        request_id: Microsoft Graph's `request-id`, for the audit trail.
        refusal: Why Microsoft refused it, where it said so in words that we know.
        plan_needs: Service plan id → ids of those of which it needs one, where the refusal named them.
    """

    code = "write_back_error"

    def __init__(
        self,
        message: str,
        *,
        retry_after: timedelta | None = None,
        permanent: bool = False,
        maybe_applied: bool,
        status: int | None = None,
        request_id: str | None = None,
        refusal: Refusal | None = None,
        plan_needs: Mapping[str, frozenset[str]] | None = None,
    ) -> None:
        super().__init__(message, retry_after=retry_after, permanent=permanent)
        self.plan_needs = plan_needs or {}
        self.maybe_applied = maybe_applied
        self.status = status
        self.request_id = request_id
        self.refusal = refusal


class DeliveryError(PortError):
    """A chat message could not be delivered or updated."""

    code = "delivery_error"
