"""What services want people to know: a frozen union, handed to `Messenger.deliver(person, notice)`.

A notice has a `matter`: a live message of that matter is updated in place, else a new one is sent. Services know no card.
"""

from dataclasses import dataclass
from datetime import datetime

from reclaim.domain.appeals import AppealView
from reclaim.domain.consent_views import ConsentView, RunView, WaiterView
from reclaim.domain.ids import CampaignId, ConsentId, ItemId
from reclaim.domain.read_models import (
    CampaignStatus,
    FreezeView,
    LaunchRequestView,
    ReviewSummary,
    SeatReceipt,
    SyncView,
    Wave,
)
from reclaim.domain.restore_views import AskBackView, CameBackView, RestoresView


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveNotice:
    """A reviewer's list of seats, new or in its present state. `fresh` sends it again at the foot of the chat.

    Attributes:
        reminder: 1 for the first of `reminders`; 0 for one that somebody asked for; None: no reminder.
        asked_by: Name of who asked, None for the operator.
        channel: Of the chat that should get a fresh one, since the person asked there; None: wherever they are reached.
    """

    wave: Wave
    reminder: int | None = None
    reminders: int = 0
    asked_by: str | None = None
    fresh: bool = False
    channel: str | None = None

    @property
    def matter(self) -> str:
        """What it is about: one live message per person and matter."""
        return wave_matter(self.wave.campaign_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListGoneNotice:
    """To a reviewer whose last seat went to somebody else: their list has nothing left to answer."""

    campaign_id: CampaignId

    @property
    def matter(self) -> str:
        """What it is about: the list that it takes the place of."""
        return wave_matter(self.campaign_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignOpenNotice:
    """To the owner: the campaign is open; messages are counted up in place."""

    status: CampaignStatus

    @property
    def matter(self) -> str:
        """What it is about: one live message per person and matter."""
        return f"campaign:{self.status.campaign_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignClosedNotice:
    """To the owner: the campaign is closed, with its verified result."""

    status: CampaignStatus

    @property
    def matter(self) -> str:
        """What it is about: one live message per person and matter."""
        return f"closed:{self.status.campaign_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeAskedNotice:
    """To the other admins: somebody asks to let removals go on."""

    freeze: FreezeView
    ref: str

    @property
    def matter(self) -> str:
        """What it is about: one live message per person and matter."""
        return f"resume:{self.ref}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchAskedNotice:
    """To the other admins and to who asked: a campaign over the soft limit waits for a second admin, or how that ended."""

    request: LaunchRequestView
    to_asker: bool

    @property
    def matter(self) -> str:
        """What it is about: one live message per person and matter."""
        return launch_matter(self.request.ref)


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncNotice:
    """To who asked for a sync: its progress and its end, in one message."""

    sync: SyncView
    now: datetime

    @property
    def matter(self) -> str:
        """What it is about: one live message per person and matter."""
        return f"sync:{self.sync.run_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryNotice:
    """To a reviewer after the close: what became of their answers, in place while removals run."""

    summary: ReviewSummary

    @property
    def matter(self) -> str:
        """What it is about: one live message per person and matter."""
        return summary_matter(self.summary.campaign_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptNotice:
    """To a holder: which of their seats are verified gone, and why."""

    receipt: SeatReceipt

    @property
    def matter(self) -> str:
        """What it is about: one live message per person and matter."""
        return receipt_matter(self.receipt.campaign_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoresNotice:
    """To the owner and to who asked: where the restores of a campaign stand, in one message."""

    restores: RestoresView

    @property
    def matter(self) -> str:
        """What it is about: one live message per person and matter."""
        return f"restores:{self.restores.campaign_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CameBackNotice:
    """To the owner and the admins: removed seats are there again, and through what."""

    came_back: CameBackView

    @property
    def matter(self) -> str:
        """What it is about: one message per campaign and sync."""
        return f"came_back:{self.came_back.campaign_id}:{self.came_back.run_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskBackNotice:
    """To a holder who signed in again after their seat was removed: do they want it back, and what became of that."""

    question: AskBackView

    @property
    def matter(self) -> str:
        """What it is about: one live message per removal."""
        return f"ask_back:{self.question.item.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentNotice:
    """To the holder of an application, or to who decides: the question, and where it stands. `fresh` as for a list."""

    view: ConsentView
    fresh: bool = False

    @property
    def matter(self) -> str:
        """What it is about: one live message per person and request."""
        return consent_matter(self.view.request.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentReceiptNotice:
    """To a holder whose application was removed by somebody else's word: what, why, and the way back."""

    view: ConsentView

    @property
    def matter(self) -> str:
        """What it is about: one live message per request."""
        return f"consent_receipt:{self.view.request.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentAppealNotice:
    """To who decides about an appeal against what a program took, and where that stands."""

    view: ConsentView

    @property
    def matter(self) -> str:
        """What it is about: one live message per request."""
        return f"consent_appeal:{self.view.request.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRunNotice:
    """To who runs a program: what a run of it has found."""

    run: RunView

    @property
    def matter(self) -> str:
        """What it is about: one message per run."""
        return f"consent_run:{self.run.run.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiterNotice:
    """To somebody on a waiting list: a seat is free, or theirs."""

    waiter: WaiterView

    @property
    def matter(self) -> str:
        """What it is about: one message per product and turn."""
        return f"waiter:{self.waiter.waiter.product_id}:{self.waiter.waiter.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AppealNotice:
    """To who decides about a removal that its holder appeals, and to who had it to decide: where that stands."""

    appeal: AppealView

    @property
    def matter(self) -> str:
        """What it is about: one live message per person and removal."""
        return appeal_matter(self.appeal.item.id)


Notice = (
    WaveNotice
    | ListGoneNotice
    | CampaignOpenNotice
    | CampaignClosedNotice
    | ResumeAskedNotice
    | LaunchAskedNotice
    | SyncNotice
    | SummaryNotice
    | ReceiptNotice
    | RestoresNotice
    | CameBackNotice
    | AskBackNotice
    | ConsentNotice
    | ConsentReceiptNotice
    | ConsentAppealNotice
    | ConsentRunNotice
    | WaiterNotice
    | AppealNotice
)


def wave_matter(campaign: CampaignId) -> str:
    """Return the matter of a reviewer's list: one live message per reviewer and campaign."""
    return f"wave:{campaign}"


def summary_matter(campaign: CampaignId) -> str:
    """Return the matter of a reviewer's summary: one live message per reviewer and campaign."""
    return f"summary:{campaign}"


def receipt_matter(campaign: CampaignId) -> str:
    """Return the matter of a holder's receipt: one live message per holder and campaign."""
    return f"receipt:{campaign}"


def consent_matter(request: ConsentId) -> str:
    """Return the matter of a consent request: one live message per person whom it concerns."""
    return f"consent:{request}"


def appeal_matter(item: ItemId) -> str:
    """Return the matter of an appeal: one live message per person and removal."""
    return f"appeal:{item}"


def launch_matter(request: str) -> str:
    """Return the matter of a request to confirm a campaign."""
    return f"launch:{request}"
