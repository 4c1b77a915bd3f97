"""Every card in each of its states, made of the hand-made read models."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from cards import (
    absences,
    campaign,
    checkup,
    consent,
    control,
    exclusions,
    inbox,
    owners,
    population,
    preview,
    prices,
    programs,
    restores,
    results,
    review,
    review_forms,
    review_item,
    spend,
    start,
    steer,
    strangers,
    tasks,
    trail,
    welcome,
)
from cards import appeals as appeal_cards
from cards.form import Filled
from cards.view import CardView
from reclaim.domain.campaign import CampaignState, Silence, WriteMode
from reclaim.domain.consent import RequestState
from reclaim.domain.directory import AssigneeKind
from reclaim.domain.idle import Rule
from reclaim.domain.ids import GroupId
from reclaim.domain.money import Total
from reclaim.domain.read_models import Campaigns, DataAge, ExportedFile, FreezeView, InboxShow, Moved, OverLimit
from reclaim.domain.removal import Outcome
from reclaim.domain.review import Answer, AssignedHow, Choice, DataLoss, KeepReason, Recommendation, Waiting
from reclaim.domain.syncing import SyncKind
from reclaim.domain.tasks import TaskState, TaskView
from tests.golden.cards import appeal_models as appeals
from tests.golden.cards import consent_models as asking
from tests.golden.cards import restore_models as way_back
from tests.golden.cards.checkup_models import CHECKUP, CHECKUP_FINE
from tests.golden.cards.models import (
    ABSENCES,
    ABSENCES_NONE,
    APPLYING,
    ASKED,
    BATCH,
    BY_GROUP,
    CAMPAIGN,
    CHANGES,
    CLOSED,
    COMPLETE,
    CONCEALED,
    COOLDOWN,
    DATA,
    EXCLUSIONS,
    EXCLUSIONS_LISTED,
    FILES,
    FROZEN,
    HISTORY,
    HOSTILE,
    INBOX,
    ITEMS,
    LAUNCH_ASKED,
    LAUNCH_CONFIRMED,
    LYNNE,
    MAILBOX,
    MEGAN,
    NAME,
    NEEDED_BY_HAND,
    NO_INBOX,
    NOW,
    OVER,
    OWNERS,
    PLACES,
    POPULATION,
    PREVIEW,
    PRICES,
    RECEIPT,
    RECEIPT_OF_TWO,
    RESULT,
    REVIEWERS,
    REVOKED,
    RUNNING,
    SEAT_ROWS,
    SEATS,
    SILENT,
    SPEND,
    START_SEATS,
    STATUS,
    SUMMARY,
    SYNC,
    SYNCED,
    TASKS,
    WHY,
    WHY_USAGE,
    ZONE,
    answered,
    ended,
    needed,
    seat,
    usd,
    view,
    wave,
)

FORM: Final = start.StartForm(
    ref="draft",
    seats=0,
    skus=(("visio", "Visio Plan 2"),),
    first_day=date(2026, 11, 23),
    last_day=date(2027, 11, 23),
    live=True,
)
HELP_STATUS: Final = control.HelpLine(
    verb="status", group="Look", usage="status [CAMPAIGN]", summary="Where the campaign stands.", example="status"
)
HELP_START: Final = control.HelpLine(
    verb="start", group="Ask", usage="start [NAME] [--until DATE]", summary="Ask.", example="start --until 2026-12-04"
)
HELP: Final = tuple(
    control.HelpLine(verb=verb, group=group, usage=verb, summary="What it does.", example=verb)
    for group, verb in (("Look", "spend"), ("Ask", "start"), ("Stop", "freeze"))
)


def _task_needed() -> TaskView:
    task = TASKS.rows[0]
    return replace(task, item=replace(needed(ITEMS[0], NEEDED_BY_HAND), outcome=task.item.outcome, outcome_at=NOW))


def _item_states() -> dict[str, CardView]:
    kept = answered(ITEMS[0], Choice.KEEP, reason=KeepReason.SEASONAL, keep_until=date(2027, 1, 12))
    by_other = replace(
        REVOKED[0], assignee_id=LYNNE, answer=Answer(choice=Choice.REVOKE, by=LYNNE, at=NOW, batch_id=BATCH)
    )
    passed = replace(ITEMS[0], assignee_id=LYNNE, delegated_by=MEGAN, assigned_how=AssignedHow.DELEGATED)
    to_me = replace(
        ITEMS[0], delegated_by=LYNNE, assigned_reason="Leads the project", assigned_how=AssignedHow.DELEGATED
    )
    moved = replace(ITEMS[0], assigned_how=AssignedHow.REASSIGNED, moved_by=LYNNE)
    of_group = replace(ITEMS[0], assignee_kind=AssigneeKind.GROUP, assignee_id=GroupId("g"))
    unsure = replace(ITEMS[0], assignee_id=LYNNE, not_sure_by=MEGAN, assigned_how=AssignedHow.NOT_SURE)
    closed = {"campaign_state": CampaignState.CLOSED}
    views = {
        "item": view(),
        "item_direct": view(ITEMS[1]),
        "item_disabled_hostile": view(replace(ITEMS[3], rule=Rule.DISABLED)),
        "item_held": view(ITEMS[4]),
        "item_by_hand": view(ITEMS[5]),
        "item_needed": view(needed(ITEMS[0])),
        "item_needed_by_hand": view(needed(ITEMS[0], NEEDED_BY_HAND)),
        "item_dry_run": view(mode=WriteMode.DRY_RUN),
        "item_silence_removes": view(silence=Silence.REMOVE),
        "item_third_hand_over": view(replace(ITEMS[0], handovers=3)),
        "item_revoked": view(REVOKED[0], others_open=5),
        "item_kept": view(kept, others_open=5),
        "item_not_sure": view(answered(ITEMS[0], Choice.NOT_SURE)),
        "item_by_other": view(by_other, answered_by_name="Lynne Robbins", assignee_name="Lynne Robbins"),
        "item_passed_on": view(passed, assignee_name="Lynne Robbins", may_answer=False),
        "item_from_other": view(to_me, from_name="Lynne Robbins", back_to_name="Lynne Robbins"),
        "item_from_group": view(
            replace(to_me, moved_from=GroupId("g")), from_name="Lynne Robbins", back_to_name="Design tool owners"
        ),
        "item_given_back": view(
            replace(ITEMS[0], assigned_how=AssignedHow.GIVEN_BACK, moved_by=LYNNE), moved_by_name="Lynne Robbins"
        ),
        "item_moved_here": view(moved, moved_by_name="Lynne Robbins"),
        "item_moved_away": view(
            replace(moved, assignee_id=LYNNE),
            may_answer=False,
            moved_by_name="Allan Deyoung",
            assignee_name="Lynne Robbins",
        ),
        "item_of_group": view(of_group, group_name=HOSTILE),
        "item_cancelled": view(
            campaign_state=CampaignState.CANCELLED, cancelled_by_name="Lynne Robbins", cancelled_at=NOW
        ),
        "item_second_look": view(unsure, assignee_name="Lynne Robbins", may_answer=False),
        "item_removing": view(replace(REVOKED[0], waiting=Waiting.QUEUED), **closed),
        "item_frozen": view(replace(REVOKED[0], waiting=Waiting.FROZEN), **closed),
    }
    mailbox = replace(ITEMS[0], plan=MAILBOX, recommendation=Recommendation.LOOK_CLOSER)
    accepted = Answer(choice=Choice.REVOKE, by=MEGAN, at=NOW, batch_id=BATCH, data_loss=DataLoss.ANYWAY)
    convert = replace(accepted, data_loss=DataLoss.CONVERT_FIRST)
    views |= {
        "item_no_usage_location": view(ITEMS[4], no_usage_location=True),
        "item_mailbox": view(mailbox),
        "item_mailbox_held": view(mailbox, may_lose_data=False),
        "item_files": view(replace(mailbox, plan=FILES)),
        "item_mailbox_accepted": view(replace(mailbox, answer=accepted)),
        "item_mailbox_convert": view(replace(mailbox, answer=convert)),
        "item_mailbox_convert_ended": view(
            replace(
                mailbox,
                answer=convert,
                outcome=Outcome.NOT_SUPPORTED,
                outcome_reason=DataLoss.CONVERT_FIRST.value,
                outcome_at=NOW,
            ),
            **closed,
        ),
    }
    states = {name: review_item.item_card(one, ZONE) for name, one in views.items()}
    states["lose_form"] = review_forms.lose_form(view(mailbox), ZONE)
    states["lose_form_files"] = review_forms.lose_form(view(replace(mailbox, plan=FILES)), ZONE)
    states["lose_form_error"] = review_forms.lose_form(
        view(mailbox), ZONE, Filled(values={"sure": "false"}, field="sure", error="Tick the box.")
    )
    for outcome in Outcome:
        plan = {Outcome.HELD: MAILBOX, Outcome.NOT_SUPPORTED: SYNCED}.get(outcome, BY_GROUP)
        ended = replace(REVOKED[0], plan=plan, outcome=outcome, outcome_at=NOW)
        states[f"item_ended_{outcome.value}"] = review_item.item_card(view(ended, **closed), ZONE)
    no_answer = replace(ITEMS[0], outcome=Outcome.KEPT, outcome_at=NOW)
    gone = replace(way_back.PROJECT, answer=REVOKED[1].answer)
    for name, way in {
        "open": way_back.WAY,
        "coming": way_back.RECEIPT_COMING.seats[0].way,
        "back": way_back.RECEIPT_BACK.seats[0].way,
        "full": way_back.FULL,
    }.items():
        states[f"item_restore_{name}"] = review_item.item_card(view(gone, **closed, way=way), ZONE, may_restore=True)
    states["item_restore_full_reviewer"] = review_item.item_card(view(gone, **closed, way=way_back.FULL), ZONE)
    states["item_closed_without_answer"] = review_item.item_card(view(no_answer, **closed), ZONE)
    states["item_why"] = review_item.why_card(view(), ZONE)
    unused = seat("u1", "Nora Lind", "Exchange Online (Plan 2)", 800, rule=Rule.UNUSED)
    states["item_unused"] = review_item.item_card(view(unused), ZONE)
    states["item_unused_why"] = review_item.why_card(view(unused), ZONE)
    never = replace(unused, snapshot=replace(unused.snapshot, last_used_at=None))
    states["item_never_used_by_reports"] = review_item.item_card(view(never), ZONE)
    return states


def _waves() -> dict[str, CardView]:
    left = wave(ITEMS[4:], REVOKED)
    paged = replace(wave(), page=2, pages=3, open_count=27)
    closed = replace(left, campaign_state=CampaignState.CLOSED)
    by_lynne = Answer(choice=Choice.REVOKE, by=LYNNE, at=NOW, batch_id=BATCH)
    by_others = tuple(
        replace(row, item=replace(row.item, answer=by_lynne), answered_by_name="Lynne Robbins")
        for row in wave(ITEMS[:5]).open_rows
    )
    moved = replace(
        wave(ITEMS[4:5]).open_rows[0],
        item=replace(ITEMS[4], assigned_how=AssignedHow.REASSIGNED),
        with_name=HOSTILE,
        moved_by_name="Lynne Robbins",
    )
    passed_row = replace(
        wave(ITEMS[3:4]).open_rows[0], item=replace(ITEMS[3], delegated_by=MEGAN), with_name="Lynne Robbins"
    )
    arrived = tuple(
        replace(row, item=replace(row.item, assigned_how=how, moved_by=LYNNE), moved_by_name="Lynne Robbins")
        for row, how in zip(
            wave().open_rows, (AssignedHow.REASSIGNED, AssignedHow.REASSIGNED, AssignedHow.GIVEN_BACK), strict=False
        )
    )
    shared = replace(wave(ITEMS[5:], REVOKED[:1]), by_others=by_others, moved_away=(moved,), passed_on=(passed_row,))
    return {
        "wave_of_group": review.wave_card(shared, ZONE),
        "wave_of_group_done": review.wave_card(replace(shared, open_rows=(), open_count=0), ZONE),
        "wave_of_group_answers": review.answers_card(shared, 1, ZONE),
        "wave_arrived": review.wave_card(replace(wave(), open_rows=(*arrived, *wave().open_rows[3:])), ZONE),
        "wave_cancelled": review.wave_card(
            replace(
                left,
                campaign_state=CampaignState.CANCELLED,
                cancelled_by_name="Lynne Robbins",
                cancelled_at=NOW,
            ),
            ZONE,
        ),
        "wave_nudged": review.reminder_card(left, 0, 0, ZONE, "Lynne Robbins"),
        "wave_passed_on": review.wave_card(
            left, ZONE, strip=review.passed_on_strip(Moved(seats=9, stayed=(("holder", 1), ("handovers", 2))), "Nora")
        ),
        "wave": review.wave_card(wave(), ZONE),
        "wave_dry_run": review.wave_card(replace(wave(), mode=WriteMode.DRY_RUN, silence=Silence.REMOVE), ZONE),
        "wave_silence": review.wave_card(replace(wave(), silence=Silence.RECOMMENDATION), ZONE),
        "wave_decided": review.wave_card(replace(left, result=RESULT), ZONE),
        "wave_paged": review.wave_card(paged, ZONE),
        "wave_all_answered": review.wave_card(replace(wave((), REVOKED), result=RESULT), ZONE),
        "wave_all_answered_later": review.wave_card(wave((), REVOKED), ZONE),
        "wave_reminder": review.reminder_card(left, 2, 2, ZONE),
        "wave_closed": review.wave_card(closed, ZONE),
        "wave_closed_unanswered": review.wave_card(
            replace(wave(), campaign_state=CampaignState.CLOSED, silence=Silence.REMOVE), ZONE
        ),
        "wave_closed_kept": review.wave_card(replace(wave(), campaign_state=CampaignState.CLOSED), ZONE),
        "summary": results.summary_card(SUMMARY, ZONE),
        "summary_running": results.summary_card(RUNNING, ZONE),
        "summary_stopped": results.summary_card(replace(RUNNING, campaign_state=CampaignState.PAUSED), ZONE),
        "summary_silence": results.summary_card(SILENT, ZONE),
        "summary_dry_run": results.summary_card(
            replace(
                SUMMARY,
                mode=WriteMode.DRY_RUN,
                answered=tuple(ended(item, Outcome.DRY_RUN) for item in REVOKED),
                passed_on=(),
            ),
            ZONE,
        ),
        "receipt": results.receipt_card(RECEIPT, ZONE),
        "receipt_of_two": results.receipt_card(RECEIPT_OF_TWO, ZONE),
        **_way_back(),
        **_appeals(),
        "wave_answers": review.answers_card(left, 1, ZONE),
        "wave_moved": review.moved_card(),
        "wave_gone": review.gone_card("There is no seat for you in this campaign any more."),
        "inbox_empty": review.nothing_card(),
        "inbox": inbox.inbox_card(INBOX[InboxShow.OPEN], ZONE),
        "inbox_delegated": inbox.inbox_card(INBOX[InboxShow.DELEGATED], ZONE),
        "inbox_answered": inbox.inbox_card(INBOX[InboxShow.ANSWERED], ZONE),
        "inbox_nothing": inbox.inbox_card(NO_INBOX, ZONE),
        "stranger": strangers.stranger_card(strangers.Stranger.UNKNOWN),
        "keep_form": review_forms.keep_form(view(), ZONE, COOLDOWN),
        "keep_form_error": review_forms.keep_form(
            view(), ZONE, COOLDOWN, Filled(values={"note": HOSTILE}, field="reason", error="Please pick a reason.")
        ),
        "keep_many": review_forms.keep_many_form(wave(), wave().open_rows[:3], ZONE, COOLDOWN),
        "delegate_form": review_forms.delegate_form(view(), ZONE),
        "delegate_form_with_others": review_forms.delegate_form(view(others_open=9), ZONE),
        "delegate_many": review_forms.delegate_many_form(wave(), wave().open_rows[:4], ZONE),
    }


def _way_back() -> dict[str, CardView]:
    hostile = replace(way_back.RESTORES, lines=(way_back.HOSTILE_LINE,))
    declined = replace(way_back.ASKED_BACK, asked=replace(way_back.ASKED_BACK.asked, wanted=False))
    return {
        "receipt_open": results.receipt_card(way_back.RECEIPT_OPEN, ZONE),
        "receipt_coming": results.receipt_card(way_back.RECEIPT_COMING, ZONE),
        "receipt_back": results.receipt_card(way_back.RECEIPT_BACK, ZONE),
        "receipt_full": results.receipt_card(way_back.RECEIPT_FULL, ZONE),
        "receipt_of_two_open": results.receipt_card(way_back.RECEIPT_OF_TWO_OPEN, ZONE),
        "receipt_choose": restores.choose_card(way_back.RECEIPT_OF_TWO_OPEN),
        "ask_back": restores.ask_back_card(way_back.ASKED_BACK, ZONE),
        "ask_back_declined": restores.ask_back_card(declined, ZONE),
        "ask_back_full": restores.ask_back_card(replace(way_back.ASKED_BACK, way=way_back.FULL), ZONE),
        "restore_item": restores.restoring_card(way_back.REMOVED_LINE, ZONE, may_undo=True),
        "restore_failed": restores.restoring_card(way_back.FAILED_LINE, ZONE, may_undo=True),
        "restore_preview": restores.undoing_card(way_back.UNDOING, ZONE),
        "restore_status": restores.restores_card(way_back.RESTORES, ZONE),
        "restore_status_hostile": restores.restores_card(hostile, ZONE),
        "restore_came_back": restores.came_back_card(way_back.CAME_BACK, ZONE),
    }


def _appeals() -> dict[str, CardView]:
    wrong = Filled(values={"text": HOSTILE, "seat": ""}, field="seat", error="Please pick a seat.")
    return {
        "receipt_appeal_form": appeal_cards.appeal_form(way_back.RECEIPT_OPEN, "Megan Bowen"),
        "receipt_appeal_form_error": appeal_cards.appeal_form(appeals.RECEIPT_OF_TWO_GONE, None, wrong),
        "receipt_appeal_sent": results.receipt_card(appeals.RECEIPT_SENT, ZONE),
        "receipt_appeal_moved": results.receipt_card(appeals.RECEIPT_MOVED, ZONE),
        "receipt_appeal_refused": results.receipt_card(appeals.RECEIPT_REFUSED, ZONE),
        "receipt_appeal_lapsed": results.receipt_card(appeals.RECEIPT_LAPSED, ZONE),
        "receipt_appeal_granted": results.receipt_card(appeals.RECEIPT_GRANTED, ZONE),
        "appeal": appeal_cards.appeal_card(appeals.VIEW, ZONE),
        "appeal_moved": appeal_cards.appeal_card(appeals.VIEW_MOVED, ZONE),
        "appeal_passed": appeal_cards.appeal_card(appeals.VIEW_PASSED, ZONE),
        "appeal_granted": appeal_cards.appeal_card(appeals.VIEW_GRANTED, ZONE),
        "appeal_refused": appeal_cards.appeal_card(appeals.VIEW_REFUSED, ZONE),
        "appeal_hostile": appeal_cards.appeal_card(appeals.VIEW_HOSTILE, ZONE),
        "appeal_leave": appeal_cards.leave_form(appeals.VIEW, ZONE),
    }


def _admin() -> dict[str, CardView]:
    campaigns = Campaigns(rows=(STATUS, CLOSED), idle=114, total=Total(amounts=(usd(324400),), unpriced=6))
    return {
        "spend": spend.spend_card(SPEND, ZONE, may_start=True, may_sync=True),
        "spend_excluded": spend.spend_card(
            replace(SPEND, excluded=EXCLUSIONS.rows[:3]), ZONE, may_start=True, may_sync=True
        ),
        "seats_excluded": spend.seats_card(
            replace(SEATS, excluded=3), ZONE, place=PLACES, taken=frozenset(), may_start=True
        ),
        "exclusions": exclusions.exclusions_card(EXCLUSIONS, ZONE, may_end=True),
        "exclusions_none": exclusions.exclusions_card(replace(EXCLUSIONS, rows=(), seats=0), ZONE, may_end=True),
        "exclusions_added": exclusions.exclusions_card(
            EXCLUSIONS, ZONE, note=exclusions.added(EXCLUSIONS.rows[0], ZONE), may_end=True
        ),
        "population": population.population_card(POPULATION, ZONE),
        "population_agrees": population.population_card(
            replace(POPULATION, row=replace(POPULATION.row, microsoft=POPULATION.row.held)), ZONE
        ),
        "exclusions_lists": exclusions.exclusions_card(
            EXCLUSIONS_LISTED, ZONE, note=exclusions.added(EXCLUSIONS_LISTED.rows[1], ZONE), may_end=True
        ),
        "absences": absences.absences_card(ABSENCES, ZONE),
        "absences_none": absences.absences_card(ABSENCES_NONE, ZONE),
        "absences_ended": absences.absences_card(replace(ABSENCES, counts=False, people=0, seats=0), ZONE),
        "absences_loaded": absences.absences_card(
            ABSENCES, ZONE, note=absences.loaded_note(ABSENCES, 2, "absences.csv.rejects.csv")
        ),
        "exclusions_ended": exclusions.exclusions_card(
            EXCLUSIONS, ZONE, note=exclusions.ended(EXCLUSIONS.rows[0]), may_end=True
        ),
        "checkup": checkup.checkup_card(CHECKUP, ZONE),
        "checkup_fine": checkup.checkup_card(CHECKUP_FINE, ZONE),
        "tasks": tasks.tasks_card(TASKS, ZONE),
        "tasks_none": tasks.tasks_card(
            replace(
                TASKS, campaign_id=None, campaign_name=None, rows=(), total=0, monthly=Total(), retriable=0, pages=1
            ),
            ZONE,
        ),
        "task": tasks.task_card(TASKS.rows[0], ZONE),
        "task_needed": tasks.task_card(_task_needed(), ZONE),
        "task_denied": tasks.task_card(TASKS.rows[2], ZONE),
        "task_still_there": tasks.task_card(TASKS.rows[1], ZONE),
        "task_checking": tasks.task_card(
            replace(TASKS.rows[1], task=replace(TASKS.rows[1].task, state=TaskState.CHECKING)), ZONE
        ),
        "task_done": tasks.task_card(
            replace(
                TASKS.rows[1],
                item=replace(TASKS.rows[1].item, outcome=Outcome.MANUAL_DONE, outcome_reason="done_by_hand"),
            ),
            ZONE,
        ),
        "task_error": tasks.task_card(
            TASKS.rows[0], ZONE, filled=Filled(field="note", error="Please say in one sentence what was done.")
        ),
        "prices": prices.prices_card(PRICES, may_set=True),
        "prices_set": prices.prices_card(PRICES, note=prices.priced_note(PRICES.rows[-1]), may_set=True),
        "prices_loaded": prices.prices_card(PRICES, note=prices.loaded_note(12, "contract.csv"), may_set=True),
        "price_form": prices.price_form(PRICES),
        "price_form_error": prices.price_form(
            PRICES, "visio", Filled(values={"amount": HOSTILE}, field="amount", error="This is not an amount.")
        ),
        "why_excluded": trail.why_card(
            replace(WHY, seats=tuple(replace(seat, exclusion=EXCLUSIONS.rows[0]) for seat in WHY.seats)), ZONE
        ),
        "spend_auditor": spend.spend_card(SPEND, ZONE, may_start=False, may_sync=False),
        "spend_seats_younger": spend.spend_card(
            replace(SPEND, data=DataAge(as_of=NOW - timedelta(hours=9), stale=False, seats_as_of=NOW)),
            ZONE,
            may_start=True,
            may_sync=True,
        ),
        "spend_blocked": spend.spend_card(replace(SPEND, blocked=True), ZONE, may_start=True, may_sync=True),
        "spend_not_read": spend.spend_card(
            replace(SPEND, data=DataAge(as_of=None, stale=False)), ZONE, may_start=True, may_sync=True
        ),
        "seats": spend.seats_card(SEATS, ZONE, place=PLACES, taken=frozenset({SEAT_ROWS[0].seat_id}), may_start=True),
        "seats_auditor": spend.seats_card(SEATS, ZONE, place=PLACES, taken=frozenset(), may_start=False),
        "seats_nearest": spend.nearest_card(
            "No SKU is called “vizio”. Did you mean Visio Plan 2?", [("visio", "Visio Plan 2")]
        ),
        "start_form": start.start_form(
            FORM,
            Filled(
                values={
                    "name": NAME,
                    "until": "2026-12-04",
                    "disabled": "true",
                    "never": "true",
                    "sku.visio": "true",
                    "department": "Sales; Marketing",
                    "fallback": LYNNE,
                },
                labels={"fallback": "Lynne Robbins"},
            ),
        ),
        "start_form_by_hand": start.start_form(replace(FORM, seats=2, live=False), Filled(values={"name": NAME})),
        "start_form_error": start.start_form(
            FORM,
            Filled(
                values={"name": HOSTILE, "days": "other", "other_days": "45", "listed": "person,sku\nnobody,"},
                field="listed",
                error="Line 2, person: nobody in the tenant is “nobody”. Nothing was taken from this list.",
            ),
        ),
        "preview": preview.preview_card(PREVIEW, NOW, ZONE),
        "preview_dry_stale": preview.preview_card(
            replace(PREVIEW, data=DataAge(as_of=DATA.as_of, stale=True), mode=WriteMode.DRY_RUN), NOW, ZONE
        ),
        "preview_over_limit": preview.preview_card(OVER, NOW, ZONE),
        "preview_waiting": preview.preview_card(replace(OVER, waiting_for=("Allan Deyoung",)), NOW, ZONE),
        "preview_small": preview.preview_card(
            replace(
                PREVIEW,
                idle=2,
                items=2,
                writable=2,
                recommended=2,
                blockers=(),
                left_out=(),
                shares=(),
                named_not_idle=0,
                reviewers=PREVIEW.reviewers[:1],
                to_fallback=0,
                low=Total(),
                likely=PREVIEW.high,
            ),
            NOW,
            ZONE,
        ),
        "simulation": preview.simulation_card(PREVIEW, NOW, ZONE, may_start=True, may_list=True),
        "simulation_auditor": preview.simulation_card(
            replace(PREVIEW, over=OverLimit(selected=31, limit=24, hard=True, sku_name="Visio Plan 2", held=40)),
            NOW,
            ZONE,
            may_start=False,
            may_list=True,
        ),
        "start_seats": preview.start_seats_card(START_SEATS),
        "launch_moved": preview.asked_card(),
        "launch_waiting": preview.launch_request_card(LAUNCH_ASKED, ZONE, to_asker=True),
        "launch_confirm": preview.launch_request_card(LAUNCH_ASKED, ZONE, to_asker=False),
        **{
            f"launch_{state}": preview.launch_request_card(
                replace(LAUNCH_CONFIRMED, state=state), ZONE, to_asker=state != "declined"
            )
            for state in ("confirmed", "declined", "changed", "expired", "withdrawn")
        },
        "launched": start.launched_card(NAME, CAMPAIGN),
        "discarded": start.discarded_card(),
        "opened": campaign.opened_card(STATUS, ZONE),
        "status": campaign.status_card(STATUS, ZONE, may_run=True),
        "status_auditor": campaign.status_card(STATUS, ZONE, may_run=False),
        "status_applying": campaign.status_card(APPLYING, ZONE, may_run=True),
        "status_frozen": campaign.status_card(replace(APPLYING, frozen_since=NOW), ZONE, may_run=True),
        "status_paused": campaign.status_card(
            replace(APPLYING, state=CampaignState.PAUSED, pause_reason="guardrail_exceeded"), ZONE, may_run=True
        ),
        "status_reviewers": campaign.reviewers_card(REVIEWERS, ZONE),
        "closed_dry_run": campaign.closed_card(
            replace(
                CLOSED,
                mode=WriteMode.DRY_RUN,
                outcomes=((Outcome.KEPT, 45), (Outcome.DRY_RUN, 41)),
                verified_count=0,
                removing=0,
                verified=Total(),
            ),
            ZONE,
            may_run=True,
        ),
        "closed": campaign.closed_card(CLOSED, ZONE, may_run=True),
        "closing": campaign.closing_card(STATUS, "on Tue 24 Nov 2026, 14:02", ZONE, Silence.KEEP),
        "status_cancelled": campaign.status_card(
            replace(
                STATUS,
                state=CampaignState.CANCELLED,
                cancelled_by_name="Lynne Robbins",
                cancelled_at=NOW,
                cancel_reason=HOSTILE,
            ),
            ZONE,
            may_run=True,
        ),
        "status_frozen_open": campaign.status_card(replace(STATUS, nudgeable=7, frozen_since=NOW), ZONE, may_run=True),
        "status_to_remind": campaign.status_card(replace(STATUS, nudgeable=7), ZONE, may_run=True),
        "cancelling": steer.cancelling_card(STATUS),
        "owners": owners.owners_card(OWNERS, may_run=True),
        "owners_named": owners.owners_card(
            OWNERS, said=owners.named_text("Visio Plan 2", OWNERS.rows[1]), may_run=False
        ),
        "abandoning": campaign.abandoning_card(APPLYING),
        "campaigns": campaign.campaigns_card(campaigns, ZONE),
        "campaigns_none": campaign.campaigns_card(replace(campaigns, rows=()), ZONE),
        "why": trail.why_card(WHY, ZONE),
        "why_usage": trail.why_card(WHY_USAGE, ZONE),
        "why_usage_hidden": trail.why_card(replace(WHY, usage=CONCEALED), ZONE),
        "own_seats": trail.own_seats_card(WHY, ZONE),
        "history": trail.history_card(HISTORY, ZONE),
        "export": trail.exported_card(NAME, (ExportedFile(name="a.csv", media_type="text/csv", content=b"x" * 3000),)),
        "report": trail.report_card(
            NAME, ExportedFile(name="report-q4.html", media_type="text/html", content=b"x" * 3000), pseudonymous=True
        ),
        "welcome": welcome.welcome_card(SPEND, "Allan Deyoung", 400),
    }


def _control() -> dict[str, CardView]:
    return {
        "freeze_form": control.freeze_form(),
        "freeze_frozen": control.freeze_card(FROZEN, ZONE, may_resume=True, may_confirm=True),
        "freeze_asked": control.freeze_card(ASKED, ZONE, may_resume=True, may_confirm=True),
        "freeze_none": control.freeze_card(
            FreezeView(frozen=False, since=None, by_name=None, reason=None, waiting=0),
            ZONE,
            may_resume=True,
            may_confirm=True,
        ),
        "resume_form": control.resume_form(FROZEN, ZONE),
        "sync_running": control.sync_card(SYNC, NOW, ZONE),
        "sync_complete": control.sync_card(COMPLETE, NOW, ZONE),
        "sync_usage": control.sync_card(replace(COMPLETE, usage=WHY_USAGE.usage), NOW, ZONE),
        "sync_usage_hidden": control.sync_card(replace(COMPLETE, usage=CONCEALED), NOW, ZONE),
        "sync_changes": control.sync_card(CHANGES, NOW, ZONE),
        "sync_changes_running": control.sync_card(replace(SYNC, kind=SyncKind.CHANGES), NOW, ZONE),
        "sync_resynced": control.sync_card(replace(COMPLETE, resynced=True), NOW, ZONE),
        "sync_stopped": control.sync_card(replace(SYNC, state="stopped", gone_people=60, gone_seats=90), NOW, ZONE),
        "sync_failed": control.sync_card(replace(SYNC, state="failed", error="Microsoft does not answer."), NOW, ZONE),
        "help": control.help_card(HELP, [("spend", "Show spend"), ("status", "Status")]),
        "help_holder": control.help_card(HELP[:1], [("seats mine", "My seats"), ("inbox", "My inbox")], holder=True),
        "help_verb": control.verb_help_card(HELP[0]),
        "unknown": control.unknown_verb_card("statsu", HELP_STATUS),
        "unknown_far": control.unknown_verb_card("xyzzy", None),
        "bad_argument": control.bad_argument_card("“4/12” is not a clear date.", HELP_START),
        "message": control.message_card("conflict", "It is frozen already.", headline="Not as it was"),
        "private": control.in_private_card(),
    }


def _consent() -> dict[str, CardView]:
    ended = {
        state: consent.request_card(asking.seen(state, answered_by=who, answered_at=NOW), ZONE)
        for state, who in {
            RequestState.KEPT: asking.ADELE,
            RequestState.EXPIRED: None,
            RequestState.NOT_A_MEMBER: None,
            RequestState.BY_HAND: None,
            RequestState.USED_AGAIN: None,
            RequestState.USE_UNKNOWN: None,
            RequestState.EXCLUDED: None,
            RequestState.DRY_RUN: None,
            RequestState.CANCELLED: None,
            RequestState.FAILED: None,
            RequestState.LEFT: None,
            RequestState.ENFORCED: None,
        }.items()
    }
    later = asking.seen(RequestState.LATER, later_until=NOW + timedelta(days=7))
    with_manager = replace(asking.TO_MANAGER, viewer=asking.ADELE)
    kept = replace(asking.seen(RequestState.KEPT, answered_by=asking.MEGAN), manager_name="Megan Bowen")
    kept_by_manager = replace(asking.MANAGER_TOOK, request=replace(kept.request, manager_id=asking.MEGAN))
    expired = replace(kept_by_manager, request=replace(kept_by_manager.request, state=RequestState.EXPIRED))
    through = asking.seen(RequestState.STILL_THERE, detail="App suite users")
    return {f"consent_{state.value}": card for state, card in ended.items()} | {
        "consent": consent.request_card(asking.QUESTION, ZONE),
        "consent_not_installed": consent.request_card(asking.NOT_INSTALLED, ZONE),
        "consent_manager_not_installed": consent.request_card(asking.NOT_INSTALLED_MANAGER, ZONE),
        "consent_manager_not_installed_silent": consent.request_card(asking.NOT_INSTALLED_SILENT, ZONE),
        "consent_hostile": consent.request_card(asking.STRANGE, ZONE),
        "consent_silence_removes": consent.request_card(asking.REMOVES, ZONE),
        "consent_escalates": consent.request_card(asking.ESCALATES, ZONE),
        "consent_dry_run_asked": consent.request_card(asking.DRY, ZONE),
        "consent_reminder": consent.request_card(asking.LAST_REMINDER, ZONE),
        "consent_agreed": consent.request_card(asking.AGREED, ZONE),
        "consent_later": consent.request_card(later, ZONE),
        "consent_with_manager": consent.request_card(with_manager, ZONE),
        "consent_kept_by_manager": consent.request_card(kept, ZONE),
        "consent_still_there": consent.request_card(through, ZONE),
        "consent_gone": consent.request_card(asking.REMOVED, ZONE),
        "consent_keep_form": consent.keep_form(asking.QUESTION, ZONE),
        "consent_keep_form_error": consent.keep_form(
            asking.ESCALATES,
            ZONE,
            Filled(values={"note": "x"}, field="note", error="Please use at most 300 characters."),
        ),
        "consent_manager": consent.request_card(asking.TO_MANAGER, ZONE),
        "consent_manager_silent": consent.request_card(asking.TO_MANAGER_SILENT, ZONE),
        "consent_manager_took": consent.request_card(asking.MANAGER_TOOK, ZONE),
        "consent_manager_kept": consent.request_card(kept_by_manager, ZONE),
        "consent_manager_expired": consent.request_card(expired, ZONE),
        "consent_manager_done": consent.request_card(asking.MANAGER_DONE, ZONE),
        "consent_removed_enforced": consent.removed_card(asking.ENFORCED, ZONE),
        "consent_removed_silent": consent.removed_card(asking.SILENT, ZONE),
        "consent_removed_coming": consent.removed_card(asking.RESTORING, ZONE),
        "consent_removed_back": consent.removed_card(asking.RESTORED, ZONE),
        "consent_removed_full": consent.removed_card(asking.NOT_RESTORED, ZONE),
        "consent_appeal_form": consent.appeal_form(asking.ENFORCED, ZONE),
        "consent_appeal_form_error": consent.appeal_form(
            asking.ENFORCED, ZONE, Filled(field="text", error="Please say in one sentence why you need it.")
        ),
        "consent_removed_appealed": consent.removed_card(asking.APPEALED, ZONE),
        "consent_removed_refused": consent.removed_card(asking.APPEAL_REFUSED, ZONE),
        "consent_removed_lapsed": consent.removed_card(asking.APPEAL_LAPSED, ZONE),
        "consent_appeal": consent.appeal_card(asking.APPEALED, ZONE),
        "consent_appeal_leave": consent.leave_form(asking.APPEALED, ZONE),
        "consent_appeal_leave_error": consent.leave_form(
            asking.APPEALED,
            ZONE,
            Filled(values={"reason": "x"}, field="reason", error="Please use at most 500 characters."),
        ),
        "consent_appeal_settled": consent.appeal_card(asking.APPEAL_SETTLED, ZONE),
        "consent_appeal_in_vain": consent.appeal_card(asking.APPEAL_IN_VAIN, ZONE),
        "consent_appeal_granted": consent.appeal_card(asking.APPEAL_GRANTED, ZONE),
        "consent_appeal_refused": consent.appeal_card(asking.APPEAL_REFUSED, ZONE),
        "consent_appeal_lapsed": consent.appeal_card(asking.APPEAL_LAPSED, ZONE),
        "consent_waiter": consent.waiter_card(asking.WAITER),
        "consent_waiter_added": consent.waiter_card(asking.ADDED),
        "programs": programs.programs_card(
            [asking.VIEW, asking.FRESH],
            ZONE,
            note=programs.loaded([("made", asking.PROGRAM), ("unchanged", asking.FRESH.program)]),
        ),
        "programs_none": programs.programs_card([], ZONE),
        "program": programs.program_card(asking.VIEW, ZONE, may_run=True, note="It goes on."),
        "program_fresh": programs.program_card(asking.FRESH, ZONE, may_run=True),
        "program_auditor": programs.program_card(asking.VIEW, ZONE, may_run=False),
        "program_requests": programs.requests_card(asking.PAGE, ZONE),
        "program_run": programs.run_card(asking.RUN_VIEW, ZONE),
        "program_run_stopped": programs.run_card(asking.RUN_STOPPED, ZONE),
        "program_run_dry": programs.run_card(asking.RUN_DRY, ZONE),
        "program_waiting": programs.waiting_card(asking.PROGRAM, [asking.WAITER], ZONE, note="They are on the list."),
        "program_waiting_none": programs.waiting_card(asking.PROGRAM, [], ZONE),
    }


CARDS: Final[dict[str, CardView]] = _waves() | _item_states() | _admin() | _control() | _consent()

# Cards that ask a reviewer for something.
ASKING: Final = (
    "wave", "wave_dry_run", "wave_silence", "wave_decided", "wave_paged", "wave_reminder", "wave_of_group", "wave_nudged",
    "wave_arrived", "wave_passed_on", "item", "item_direct", "item_disabled_hostile", "item_held", "item_by_hand",
    "item_needed", "item_needed_by_hand",
    "item_dry_run", "item_silence_removes", "item_third_hand_over", "item_from_other", "item_from_group",
    "item_given_back", "item_moved_here", "item_of_group", "keep_form", "keep_form_error", "keep_many", "delegate_form",
    "delegate_form_with_others", "delegate_many", "ask_back", "receipt_choose", "consent", "consent_hostile",
    "consent_silence_removes", "consent_escalates", "consent_dry_run_asked", "consent_reminder", "consent_keep_form",
    "consent_manager", "consent_manager_silent", "consent_appeal", "consent_appeal_form", "consent_appeal_form_error",
    "consent_appeal_leave", "consent_appeal_leave_error",
    "consent_not_installed", "consent_manager_not_installed", "consent_manager_not_installed_silent",
    "receipt_appeal_form", "receipt_appeal_form_error", "appeal", "appeal_moved", "appeal_hostile", "appeal_leave",
)  # fmt: skip
