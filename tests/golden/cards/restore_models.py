"""The way back, as the cards show it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from reclaim.domain.ids import GroupId, RestoreId
from reclaim.domain.money import Total
from reclaim.domain.removal import Outcome
from reclaim.domain.restore import (
    AskBack,
    AskedHow,
    Restore,
    RestoreKind,
    RestoreState,
    RestoreStep,
    Returned,
    Reversal,
    WhyNot,
)
from reclaim.domain.restore_views import (
    AskBackView,
    CameBackView,
    RestoreLine,
    RestorePreview,
    RestoresView,
    WayBack,
)
from reclaim.domain.review import ReviewItem
from tests.golden.cards.models import (
    CAMPAIGN,
    HOSTILE,
    LYNNE,
    NAME,
    NOW,
    RECEIPT,
    RECEIPT_OF_TWO,
    REVOKED,
    ZONE,
    ended,
    usd,
)

REMOVED_AT: Final = datetime(2026, 12, 4, 17, 0, tzinfo=UTC)
UNTIL: Final = REMOVED_AT + timedelta(days=30)
WAY: Final = WayBack(until=UNTIL, restore=None, reversal=None, through=(), refusal=None)
COPILOT, PROJECT, POWER_BI = (
    replace(ended(item, Outcome.REMOVED), verified_at=REMOVED_AT, outcome_at=REMOVED_AT) for item in REVOKED[:3]
)


def restore(item: ReviewItem, state: RestoreState, **more: object) -> Restore:
    made = Restore(
        id=RestoreId(f"restore-{item.id}"),
        item_id=item.id,
        campaign_id=CAMPAIGN,
        person_id=item.person_id,
        product_id=item.product_id,
        state=state,
        version=1,
        attempt=1,
        not_before=None,
        checks=0,
        asked_by=LYNNE,
        how=AskedHow.UNDO,
        asked_at=NOW + timedelta(days=12),
        steps=(RestoreStep(kind=RestoreKind.ASSIGN_DIRECT, ref=item.product_id),),
        ended_at=None if state is RestoreState.RESTORING else NOW + timedelta(days=12, minutes=4),
    )
    return replace(made, **more)  # type: ignore[arg-type]


def way(item: ReviewItem, state: RestoreState, **more: object) -> WayBack:
    """Return the way back of a seat that somebody asked for."""
    found = restore(item, state, **more)
    if state is RestoreState.FAILED:
        return replace(WAY, restore=found)
    back = Reversal(
        item_id=item.id, campaign_id=CAMPAIGN, how=Returned.RESTORED, at=found.ended_at or NOW, through=("direct",)
    )
    restored = state is RestoreState.RESTORED
    refusal = "This seat was restored already." if restored else "This seat is being restored already."
    return replace(WAY, restore=found, reversal=back if restored else None, refusal=refusal)


FULL: Final = way(PROJECT, RestoreState.FAILED, why_not=WhyNot.NO_FREE_SEAT, detail="60")
REMOVED_LINE: Final = RestoreLine(item=COPILOT, way=WAY)
RESTORING_LINE: Final = RestoreLine(
    item=COPILOT, way=way(COPILOT, RestoreState.RESTORING), asked_by_name="Lynne Robbins"
)
RESTORED_LINE: Final = RestoreLine(
    item=POWER_BI, way=way(POWER_BI, RestoreState.RESTORED, how=AskedHow.RECEIPT), asked_by_name="Alex Wilber"
)
FAILED_LINE: Final = RestoreLine(item=PROJECT, way=FULL, asked_by_name="Lynne Robbins")
UNDOING: Final = RestorePreview(
    campaign_id=CAMPAIGN,
    campaign_name=NAME,
    seats=2,
    monthly=Total(amounts=(usd(6000),)),
    lines=(REMOVED_LINE, RestoreLine(item=PROJECT, way=WAY)),
    stays=(("This seat was restored already.", 1),),
    zone=ZONE,
)
RESTORES: Final = RestoresView(
    campaign_id=CAMPAIGN,
    campaign_name=NAME,
    restoring=1,
    restored=1,
    failed=1,
    asked_back=1,
    lines=(FAILED_LINE, RESTORING_LINE, RESTORED_LINE),
    zone=ZONE,
)
_AGAIN: Final = Reversal(
    item_id=COPILOT.id,
    campaign_id=CAMPAIGN,
    how=Returned.REGRANTED,
    at=NOW + timedelta(days=13),
    through=(GroupId("g1"),),
    run_id="run9",
)
_THERE: Final = replace(
    WAY, refusal="This seat is there again already: somebody gave it back. There is nothing to restore."
)
CAME_BACK: Final = CameBackView(
    campaign_id=CAMPAIGN,
    campaign_name=NAME,
    run_id="run9",
    found_at=NOW + timedelta(days=13),
    seats=2,
    monthly=Total(amounts=(usd(6000),)),
    lines=(
        RestoreLine(item=COPILOT, way=replace(_THERE, reversal=_AGAIN, through=("Copilot Marketing",))),
        RestoreLine(item=PROJECT, way=replace(_THERE, reversal=replace(_AGAIN, item_id=PROJECT.id), through=())),
    ),
    zone=ZONE,
)
ASKED_BACK: Final = AskBackView(
    item=PROJECT,
    asked=AskBack(
        item_id=PROJECT.id,
        campaign_id=CAMPAIGN,
        person_id=PROJECT.person_id,
        signed_in_at=NOW + timedelta(days=14),
        asked_at=NOW + timedelta(days=15),
    ),
    way=WAY,
    now=NOW + timedelta(days=15),
)
_ONE: Final = RECEIPT.seats[0]
RECEIPT_OPEN: Final = replace(RECEIPT, seats=(replace(_ONE, item=PROJECT, way=WAY),))
RECEIPT_COMING: Final = replace(RECEIPT, seats=(replace(_ONE, item=PROJECT, way=way(PROJECT, RestoreState.RESTORING)),))
RECEIPT_BACK: Final = replace(RECEIPT, seats=(replace(_ONE, item=PROJECT, way=way(PROJECT, RestoreState.RESTORED)),))
RECEIPT_FULL: Final = replace(RECEIPT, seats=(replace(_ONE, item=PROJECT, way=FULL),))
RECEIPT_OF_TWO_OPEN: Final = replace(
    RECEIPT_OF_TWO,
    seats=(
        replace(RECEIPT_OF_TWO.seats[0], item=COPILOT, way=WAY),
        replace(RECEIPT_OF_TWO.seats[1], item=POWER_BI, way=way(POWER_BI, RestoreState.RESTORED)),
    ),
)
HOSTILE_LINE: Final = RestoreLine(
    item=replace(COPILOT, snapshot=replace(COPILOT.snapshot, person_name=HOSTILE, sku_name=HOSTILE)),
    way=way(COPILOT, RestoreState.FAILED, why_not=WhyNot.GROUP_CHANGED, detail=HOSTILE),
    asked_by_name=HOSTILE,
)
