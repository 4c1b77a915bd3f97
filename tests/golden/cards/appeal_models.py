"""An appeal, as the cards show it."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from reclaim.domain.appeals import Appeal, AppealLine, AppealState, AppealTo, AppealView
from reclaim.domain.restore import AskedHow, RestoreState
from tests.golden.cards.models import CAMPAIGN, HOSTILE, MEGAN, NAME, RECEIPT, RECEIPT_OF_TWO
from tests.golden.cards.restore_models import COPILOT, POWER_BI, PROJECT, REMOVED_AT, WAY, way

ASKED_AT: Final = REMOVED_AT + timedelta(days=1)
_APPEAL: Final = Appeal(
    item_id=PROJECT.id,
    campaign_id=CAMPAIGN,
    person_id=PROJECT.person_id,
    text="I plan the new plant with it from January.",
    asked_at=ASKED_AT,
    to=AppealTo.MANAGER,
    reviewer_id=MEGAN,
    due_at=ASKED_AT + timedelta(days=5),
)
OPEN: Final = AppealLine(appeal=_APPEAL, to_name="Megan Bowen")
_MOVED_AT: Final = ASKED_AT + timedelta(days=5)
MOVED: Final = AppealLine(appeal=_APPEAL.moved(_MOVED_AT, REMOVED_AT + timedelta(days=30)))


def _ended(state: AppealState, reason: str | None = None) -> AppealLine:
    by = None if state in (AppealState.LAPSED, AppealState.SETTLED) else MEGAN
    appeal = _APPEAL.ended(state, ASKED_AT + timedelta(days=2), by=by, reason=reason)
    return AppealLine(appeal=appeal, to_name="Megan Bowen", answered_by_name="Megan Bowen" if by else None)


GRANTED: Final = _ended(AppealState.GRANTED)
REFUSED: Final = _ended(AppealState.REFUSED, "The project has ended.")
LAPSED: Final = _ended(AppealState.LAPSED)
COMING: Final = way(PROJECT, RestoreState.RESTORING, how=AskedHow.APPEAL, asked_by=MEGAN)

VIEW: Final = AppealView(
    line=OPEN, item=PROJECT, way=WAY, campaign_name=NAME, approved_by="Megan Bowen", may_answer=True
)
VIEW_MOVED: Final = replace(VIEW, line=MOVED, approved_by=None)
VIEW_PASSED: Final = replace(VIEW_MOVED, may_answer=False)
VIEW_GRANTED: Final = replace(VIEW, line=GRANTED, way=COMING, may_answer=False)
VIEW_REFUSED: Final = replace(VIEW, line=REFUSED, may_answer=False)
VIEW_HOSTILE: Final = replace(
    VIEW,
    line=AppealLine(appeal=replace(_APPEAL, text=HOSTILE), to_name=HOSTILE),
    item=replace(COPILOT, snapshot=replace(COPILOT.snapshot, person_name=HOSTILE, sku_name=HOSTILE)),
    campaign_name=HOSTILE,
    approved_by=HOSTILE,
)

_ONE: Final = replace(RECEIPT.seats[0], item=PROJECT, way=WAY)
RECEIPT_SENT: Final = replace(RECEIPT, seats=(replace(_ONE, appeal=OPEN),))
RECEIPT_MOVED: Final = replace(RECEIPT, seats=(replace(_ONE, appeal=MOVED),))
RECEIPT_REFUSED: Final = replace(RECEIPT, seats=(replace(_ONE, appeal=REFUSED),))
RECEIPT_LAPSED: Final = replace(RECEIPT, seats=(replace(_ONE, appeal=LAPSED),))
RECEIPT_GRANTED: Final = replace(RECEIPT, seats=(replace(_ONE, way=COMING, appeal=GRANTED),))
RECEIPT_OF_TWO_GONE: Final = replace(
    RECEIPT_OF_TWO,
    seats=(
        replace(RECEIPT_OF_TWO.seats[0], item=COPILOT, way=WAY),
        replace(RECEIPT_OF_TWO.seats[1], item=POWER_BI, way=WAY),
    ),
)
