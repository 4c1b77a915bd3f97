"""Which card a notice becomes: the one table of them."""

from typing import assert_never

from cards.appeals import appeal_card as removal_appeal_card
from cards.campaign import closed_card, opened_card
from cards.consent import appeal_card, removed_card, request_card, waiter_card
from cards.control import freeze_card, sync_card
from cards.preview import launch_request_card
from cards.programs import run_card
from cards.restores import ask_back_card, came_back_card, restores_card
from cards.results import receipt_card, summary_card
from cards.review import NO_LIST, gone_card, reminder_card, wave_card
from cards.view import CardView
from reclaim.domain.notices import (
    AppealNotice,
    AskBackNotice,
    CameBackNotice,
    CampaignClosedNotice,
    CampaignOpenNotice,
    ConsentAppealNotice,
    ConsentNotice,
    ConsentReceiptNotice,
    ConsentRunNotice,
    LaunchAskedNotice,
    ListGoneNotice,
    Notice,
    ReceiptNotice,
    RestoresNotice,
    ResumeAskedNotice,
    SummaryNotice,
    SyncNotice,
    WaiterNotice,
    WaveNotice,
)


def render_notice(notice: Notice, zone: str) -> CardView:
    """Return the card of a notice, in the reader's IANA zone."""
    match notice:
        case WaveNotice():
            if notice.reminder is not None:
                return reminder_card(notice.wave, notice.reminder, notice.reminders, zone, notice.asked_by)
            return wave_card(notice.wave, zone)
        case ListGoneNotice():
            return gone_card(NO_LIST)
        case CampaignOpenNotice():
            return opened_card(notice.status, zone)
        case CampaignClosedNotice():
            return closed_card(notice.status, zone, may_run=True)
        case ResumeAskedNotice():
            return freeze_card(notice.freeze, zone, may_resume=False, may_confirm=True)
        case LaunchAskedNotice():
            return launch_request_card(notice.request, zone, to_asker=notice.to_asker)
        case SyncNotice():
            return sync_card(notice.sync, notice.now, zone)
        case SummaryNotice():
            return summary_card(notice.summary, zone)
        case ReceiptNotice():
            return receipt_card(notice.receipt, zone)
        case RestoresNotice():
            return restores_card(notice.restores, zone)
        case CameBackNotice():
            return came_back_card(notice.came_back, zone)
        case AskBackNotice():
            return ask_back_card(notice.question, zone)
        case ConsentNotice():
            return request_card(notice.view, zone)
        case ConsentReceiptNotice():
            return removed_card(notice.view, zone)
        case ConsentAppealNotice():
            return appeal_card(notice.view, zone)
        case ConsentRunNotice():
            return run_card(notice.run, zone)
        case WaiterNotice():
            return waiter_card(notice.waiter)
        case AppealNotice():
            return removal_appeal_card(notice.appeal, zone)
        case _:
            assert_never(notice)
