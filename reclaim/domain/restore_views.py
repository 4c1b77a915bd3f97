"""What is shown of the way back: read models of restores, of seats that came back by themselves, of holders who are asked."""

from dataclasses import dataclass
from datetime import datetime

from reclaim.domain.ids import CampaignId, PersonId
from reclaim.domain.money import Total
from reclaim.domain.restore import AskBack, Restore, RestoreState, Reversal
from reclaim.domain.review import ReviewItem


@dataclass(frozen=True, slots=True, kw_only=True)
class WayBack:
    """How a removed seat stands.

    Attributes:
        until: When the way back closes; None where nothing was removed.
        restore: The newest try to give it back, None if nobody asked.
        reversal: Set once the seat is there again.
        through: Names of the groups that give it again; empty for a direct license.
        refusal: Why it cannot be restored now, None if it can.
    """

    until: datetime | None
    restore: Restore | None
    reversal: Reversal | None
    through: tuple[str, ...]
    refusal: str | None

    @property
    def open(self) -> bool:
        """Whether somebody may ask for it now."""
        return self.refusal is None

    @property
    def back(self) -> bool:
        """Whether the seat is there again, or is on its way back."""
        coming = self.restore is not None and self.restore.state is not RestoreState.FAILED
        return coming or self.reversal is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreLine:
    """One removed seat with its way back. `asked_by_name` None: nobody asked."""

    item: ReviewItem
    way: WayBack
    asked_by_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RestorePreview:
    """What an undo would give back.

    Attributes:
        lines: Some of the `seats`.
        monthly: What they cost a month.
        stays: Removed seats that cannot be restored now, by the reason that is given.
        person_name: Set where only one person's seats are meant.
    """

    campaign_id: CampaignId
    campaign_name: str
    seats: int
    monthly: Total
    lines: tuple[RestoreLine, ...]
    stays: tuple[tuple[str, int], ...]
    zone: str
    person_id: PersonId | None = None
    person_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoresView:
    """What was restored in one campaign, those that failed first. `lines`: some of them."""

    campaign_id: CampaignId
    campaign_name: str
    restoring: int
    restored: int
    failed: int
    asked_back: int
    lines: tuple[RestoreLine, ...]
    zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CameBackView:
    """Removed seats of one campaign that a sync has found again and that we did not restore. `lines`: some of them."""

    campaign_id: CampaignId
    campaign_name: str
    run_id: str
    found_at: datetime
    seats: int
    monthly: Total
    lines: tuple[RestoreLine, ...]
    zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AskBackView:
    """The question to a holder who signed in again, with what became of it."""

    item: ReviewItem
    asked: AskBack
    way: WayBack
    now: datetime
