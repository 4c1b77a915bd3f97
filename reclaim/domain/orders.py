"""Removal orders: all that one campaign removes from one person, as 1..n steps that are planned, written and read back."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from reclaim.domain.ids import CampaignId, ItemId, OrderId, PersonId, ProductId, StepId
from reclaim.domain.removal import PlanStep

# A step's `error` after a call without an answer whose effect was not to be seen. It may have landed all the same: somebody
# may have given the seat again before we looked.
DID_NOT_LAND: Final = "did not land"


class OrderState(StrEnum):
    """Waiting orders are picked up by the tick when `not_before` has come; done ones are finished for good."""

    QUEUED = "queued"  # for a sign-in sync that started after the close
    READY = "ready"
    FROZEN = "frozen"
    VERIFYING = "verifying"  # written, and not yet seen to be gone
    DONE = "done"


class StepState(StrEnum):
    """A step's life. `intended` is committed before the call, so a crash leaves a trace of what may have happened."""

    PLANNED = "planned"
    INTENDED = "intended"
    WRITTEN = "written"
    VERIFIED = "verified"
    FAILED = "failed"
    SKIPPED = "skipped"  # the second look said stop, or it was gone already


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovalStep:
    """One write for one item.

    Attributes:
        before: The seat's paths as read before the write, as JSON; undo re-assigns exactly this.
        after: As read back; None until then.
        client_request_id: Sent with the call and written down before it.
        maybe_written: The call may have landed although no answer came.
    """

    id: StepId
    order_id: OrderId
    item_id: ItemId
    product_id: ProductId
    step: PlanStep
    state: StepState
    attempt: int = 0
    client_request_id: str | None = None
    request_id: str | None = None
    before: str | None = None
    after: str | None = None
    error: str | None = None
    maybe_written: bool = False
    intended_at: datetime | None = None
    written_at: datetime | None = None
    verified_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovalOrder:
    """One person's removals in one campaign.

    Attributes:
        attempt: Part of the job key; a new one for every run.
        not_before: The present attempt is due then; None: not by time.
        checks: How often in a row it was tried, or a written step was looked for, in vain; a new state starts at 0.
    """

    id: OrderId
    campaign_id: CampaignId
    person_id: PersonId
    state: OrderState
    version: int
    attempt: int
    not_before: datetime | None
    checks: int
    created_at: datetime
    steps: tuple[RemovalStep, ...] = ()
