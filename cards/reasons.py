"""Why a seat stands on a list, what removing it means, and how it ended: the domain's words in English.

Reviewers and holders read these, so a seat is *unused*, never idle, and records are described, not people.
"""

from datetime import datetime, timedelta
from typing import assert_never

from cards import formats
from cards.phrases import at_close, first, group, sentence_case, sku
from cards.view import Fact
from reclaim.domain.activity import SignInKind
from reclaim.domain.calendar import local_day
from reclaim.domain.campaign import Silence, WriteMode
from reclaim.domain.idle import Rule
from reclaim.domain.removal import Blocker, Outcome, StepKind
from reclaim.domain.review import (
    Answer,
    AssignedHow,
    Choice,
    DataLoss,
    FallbackWhy,
    KeepReason,
    Recommendation,
    ReviewItem,
    Snapshot,
)

KEEP_REASONS: dict[KeepReason, str] = {
    KeepReason.CURRENT_WORK: "Needed for current work",
    KeepReason.SEASONAL: "Needed later (seasonal work)",
    KeepReason.AWAY: "Away for now",
    KeepReason.SHARED: "Shared or service account",
    KeepReason.LEGAL_HOLD: "Legal hold",
    KeepReason.OTHER: "Something else",
}

ANSWERED: dict[Choice, str] = {
    Choice.REVOKE: "revoked",
    Choice.KEEP: "kept",
    Choice.NOT_SURE: "was not sure about",
    Choice.WITHDRAWN: "took back the answer to",
}

OUTCOMES: dict[Outcome, str] = {
    Outcome.KEPT: "kept",
    Outcome.REMOVED: "removed and checked",
    Outcome.ALREADY_ABSENT: "already gone",
    Outcome.ACTIVE_AGAIN: "used again, kept",
    Outcome.REGRANTED: "given again, kept",
    Outcome.PLAN_CHANGED: "changed meanwhile, kept",
    Outcome.HELD: "held: only mailbox or files",
    Outcome.NOT_SUPPORTED: "cannot be removed by Reclaim",
    Outcome.MANUAL_DONE: "removed by hand",
    Outcome.DRY_RUN: "dry run, nothing removed",
    Outcome.SUPERSEDED: "not tried, kept",
    Outcome.FAILED: "removal failed",
}

BLOCKERS: dict[Blocker, str] = {
    Blocker.GROUP_UNKNOWN: "By hand: a group that we cannot read",
    Blocker.GROUP_DYNAMIC: "By hand: dynamic group",
    Blocker.GROUP_SYNCED: "By hand: group managed on premises",
    Blocker.GROUP_MAIL_ENABLED: "By hand: mail-enabled group",
    Blocker.GROUP_ROLE_ASSIGNABLE: "By hand: group that gives admin roles",
    Blocker.GROUP_RESTRICTED: "By hand: group under restricted management",
    Blocker.GROUP_NESTED: "By hand: group with other groups inside",
    Blocker.GROUP_OTHER_SKUS: "By hand: group that gives other licenses too",
    Blocker.NOT_A_DIRECT_MEMBER: "By hand: seat through a group in a group",
    Blocker.SKU_UNKNOWN: "By hand: Microsoft no longer lists this license",
    Blocker.ERROR_STATE: "By hand: Microsoft reports an error on the seat",
    Blocker.NEEDED_BY: "By hand: another license needs it",
    Blocker.LAST_MAILBOX: "Held: the only mailbox",
    Blocker.LAST_FILES: "Held: the only OneDrive files",
    Blocker.SHARED_MAILBOX: "Held: a shared mailbox",
    Blocker.ROOM_MAILBOX: "Held: a mailbox of a room",
    Blocker.EQUIPMENT_MAILBOX: "Held: a mailbox of equipment",
}

# How long Microsoft keeps what a license carried (Microsoft 365 admin docs, remove-licenses-from-users; SharePoint docs,
# unlicensed-onedrive-accounts).
MAIL_DAYS, FILES_DAYS = 30, 93
_NOBODYS = {
    Blocker.SHARED_MAILBOX: "a shared mailbox",
    Blocker.ROOM_MAILBOX: "the mailbox of a room",
    Blocker.EQUIPMENT_MAILBOX: "the mailbox of equipment",
}
_HELD = {Blocker.LAST_MAILBOX: "the only mailbox", Blocker.LAST_FILES: "the only OneDrive files", **_NOBODYS}

# {} is the name of the group, or of the license that needs this one.
_BY_HAND: dict[Blocker, str] = {
    Blocker.GROUP_UNKNOWN: "we could not read the group {}",
    Blocker.GROUP_DYNAMIC: "{} is managed by a rule",
    Blocker.GROUP_SYNCED: "{} is managed on premises",
    Blocker.GROUP_MAIL_ENABLED: "{} is managed in Exchange",
    Blocker.GROUP_ROLE_ASSIGNABLE: "{} is managed with the admin roles it gives",
    Blocker.GROUP_RESTRICTED: "{} is managed by restricted administrators",
    Blocker.GROUP_NESTED: "{} is managed through other groups",
    Blocker.GROUP_OTHER_SKUS: "{} gives other licenses too",
    Blocker.NOT_A_DIRECT_MEMBER: "the seat comes through a group inside {}",
    Blocker.SKU_UNKNOWN: "Microsoft no longer lists this license",
    Blocker.ERROR_STATE: "Microsoft reports an error on this seat",
    Blocker.NEEDED_BY: "{} needs it, and only a person can take that one away",
}

_KINDS = {
    SignInKind.SUCCESS: "",
    SignInKind.INTERACTIVE: " (may be a failed one)",
    SignInKind.BACKGROUND: " (in the background only)",
}


def row_reason(item: ReviewItem, now: datetime, zone: str) -> str:
    """Return the one reason in a row: the strongest wins, and what needs a closer look says why."""
    blocker = item.plan.blocker
    if blocker is None:
        return _unused(item, now, zone)
    if blocker in _HELD:
        days = formats.count((now - item.snapshot.quiet_since).days, "day")
        return f"Unused for {days}, but holds {_HELD[blocker]}"
    if blocker in (Blocker.SKU_UNKNOWN, Blocker.ERROR_STATE):
        return "Microsoft reports a problem; someone has to remove it by hand"
    if blocker is Blocker.NEEDED_BY:
        return "Another license needs it; someone has to remove it by hand"
    return "Comes from a group; someone has to remove it by hand"


def _unused(item: ReviewItem, now: datetime, zone: str) -> str:
    seat = item.snapshot
    match item.rule:
        case Rule.DISABLED:
            if seat.disabled_seen_at is None:
                return "Account disabled"
            return f"Account disabled (first seen {_day(seat.disabled_seen_at, zone)})"
        case Rule.NEVER_SEEN:
            return f"Never used. {seat_given(seat, zone)}"
        case Rule.IDLE:
            if seat.last_seen_at is None:
                return "Last use unknown: no data from Microsoft"
            return f"Last sign-in {_day(seat.last_seen_at, zone)}, {formats.age(seat.last_seen_at, now)}"
        case Rule.UNUSED:
            if seat.last_used_at is None:
                return "No use reported, though the person signs in"
            return f"Last use {formats.day(seat.last_used_at.date())}, {formats.age(seat.last_used_at, now)}"
        case _:
            assert_never(item.rule)


def seat_given(seat: Snapshot, zone: str) -> str:
    """Return "Seat given 11 Feb 2026"."""
    return f"Seat given {_day(seat.assigned_at, zone)}" if seat.assigned_at else "Date of the seat unknown"


def evidence(item: ReviewItem, now: datetime, days: int, zone: str) -> str:
    """Return the reason in full sentences, with the limit."""
    seat = item.snapshot
    limit = f"The limit is {formats.count(days, 'day')}."
    match item.rule:
        case Rule.DISABLED:
            return f"{_unused(item, now, zone)}. A disabled account cannot use the seat."
        case Rule.NEVER_SEEN:
            return f"No sign-in was ever seen. {seat_given(seat, zone)}, {_age(seat, now)}. {limit}"
        case Rule.IDLE:
            if seat.last_seen_at is None:
                return "Last use unknown: no data from Microsoft for this person."
            return f"The last sign-in was {formats.age(seat.last_seen_at, now)}. {limit}"
        case Rule.UNUSED:
            return _no_use(seat, now, days, limit)
        case _:
            assert_never(item.rule)


def _no_use(seat: Snapshot, now: datetime, days: int, limit: str) -> str:
    used = (
        f"The last use was {formats.age(seat.last_used_at, now)}."
        if seat.last_used_at is not None
        else "No use is in the reports at all."
    )
    signed = f" The person last signed in {formats.age(seat.last_seen_at, now)}." if seat.last_seen_at else ""
    return (
        f"We see no use of {sku(seat.sku_name)} in the last {formats.count(days, 'day')}. {used}{signed} "
        f"{source(seat)} {limit}"
    )


def source(seat: Snapshot) -> str:
    """Return where the last use is known from, and up to when that goes."""
    until = f", up to {formats.day(seat.reported_at.date())}" if seat.reported_at else ""
    return f"Source: Microsoft’s usage reports{until}."


def _age(seat: Snapshot, now: datetime) -> str:
    return formats.age(seat.quiet_since, now)


def last_sign_in(seat: Snapshot, rule: Rule, now: datetime, zone: str) -> str:
    """Return the last sign-in as a fact; unknown is said, never shown as nothing."""
    if seat.last_seen_at is not None:
        kind = _KINDS[seat.last_seen_kind] if seat.last_seen_kind else ""
        return f"{_day(seat.last_seen_at, zone)}, {formats.age(seat.last_seen_at, now)}{kind}"
    return "Never seen" if rule is Rule.NEVER_SEEN else "Unknown: no data from Microsoft for this person"


def last_use(seat: Snapshot, now: datetime) -> tuple[Fact, ...]:
    """Return the last use by usage reports and its source as facts; none for a seat that was not judged by them."""
    if seat.reported_at is None:
        return ()
    until = formats.day(seat.reported_at.date())
    used = (
        f"{formats.day(seat.last_used_at.date())}, {formats.age(seat.last_used_at, now)}"
        if seat.last_used_at is not None
        else "None reported"
    )
    return (Fact("Last use", used), Fact("Source", f"Microsoft’s usage reports, up to {until}"))


def account(seat: Snapshot, zone: str) -> str:
    """Return the account as a fact: state, department, address."""
    if seat.account_enabled is None:
        state = "Unknown"
    elif seat.account_enabled:
        state = "Active"
    elif seat.disabled_seen_at is not None:
        state = f"Disabled (first seen {_day(seat.disabled_seen_at, zone)})"
    else:
        state = "Disabled"
    parts = [state, *(formats.one_line(part, formats.NAME_MAX) for part in (seat.department, seat.upn) if part)]
    return " · ".join(parts)


def path(seat: Snapshot, zone: str) -> str:
    """Return how the seat is held: "Since 3 Mar 2026, through the group Copilot Marketing"."""
    ways = [
        "directly" if one.group_id is None else f"through the group {_group_name(seat, one.group_id)}"
        for one in seat.paths
    ]
    since = f"Since {_day(seat.assigned_at, zone)}" if seat.assigned_at else "Date unknown"
    return f"{since}, {' and '.join(ways)}" if ways else since


def _group_name(seat: Snapshot, ref: str | None) -> str:
    return group(seat.path_names.get(ref, "a group without a name")) if ref else "a group"


def _license_name(seat: Snapshot, ref: str | None) -> str:
    return sku(seat.path_names[ref]) if ref and ref in seat.path_names else "another license"


def look_closer(item: ReviewItem) -> str:
    """Return why we do not recommend to revoke, or why a seat was held, as it stands behind a colon."""
    blocker = next((one for one in _NOBODYS if one.value == item.outcome_reason), item.plan.blocker)
    if blocker in _NOBODYS:
        return f"the seat carries {_NOBODYS[blocker]}. Nobody signs in to it, and it may be needed all the same."
    if blocker in _HELD:
        return f"the seat carries {_HELD[blocker]} of this person."
    if blocker is None:
        return "no way to remove it was found."
    return f"{_BY_HAND[blocker].format(blocking(item))}."


def by_hand(item: ReviewItem) -> str:
    """Return why Reclaim cannot remove a seat."""
    return f"Reclaim cannot remove it: {look_closer(item)}"


def data_loss(item: ReviewItem, closes_at: datetime, zone: str) -> str:
    """Return which data goes with a held seat, and when."""
    files = f"archived about {FILES_DAYS} days later, {_day(closes_at + timedelta(days=FILES_DAYS), zone)}"
    if item.plan.blocker is Blocker.LAST_FILES:
        return f"It carries the only OneDrive files. They are {files}."
    return (
        f"It carries the only mailbox. Mail is deleted about {MAIL_DAYS} days later, {mail_gone_on(closes_at, zone)}; "
        f"OneDrive files that hang on it are {files}."
    )


def mail_gone_on(closes_at: datetime, zone: str) -> str:
    """Return the day on which a mailbox dies whose license goes at the close."""
    return _day(closes_at + timedelta(days=MAIL_DAYS), zone)


def if_you_revoke(item: ReviewItem, closes_at: datetime, mode: WriteMode, zone: str, *, may_lose_data: bool) -> str:
    """Return what a revoke does, before it is decided."""
    blocker = item.plan.blocker
    if blocker in _HELD:
        if not may_lose_data or blocker in _NOBODYS:
            return f"Revoke is not offered: the seat carries {_HELD[blocker]}. Reclaim holds such a seat: it is kept."
        loss = data_loss(item, closes_at, zone)
        return loss if mode is WriteMode.LIVE else f"This is a dry run: nothing is removed. Live, it would be: {loss}"
    if not item.plan.writable:
        return f"{by_hand(item)} Your answer is recorded, and the seat stays until a person takes it away."
    when = at_close(closes_at, zone)
    seat, parts = item.snapshot, []
    for step in item.plan.steps:
        if step.kind is StepKind.DIRECT:
            parts.append(f"The seat is removed {when}.")
        else:
            who = first(seat.person_name)
            parts.append(f"{who} leaves the group {_group_name(seat, step.ref)} {when}.")
            parts.append("The group gives no other license. Access that it opens goes with it.")
    for product in item.plan.needed_by:
        who, other = first(seat.person_name), _license_name(seat, product)
        parts.append(f"{who} also has {other}, which does not work without it: it goes only if that one goes too.")
    parts.append("Account, mailbox and files stay.")
    if mode is WriteMode.DRY_RUN:
        return f"This is a dry run: nothing is removed. Live, it would be: {' '.join(parts)}"
    return " ".join(parts)


def if_you_do_not_answer(item: ReviewItem, silence: Silence, mode: WriteMode) -> str:
    """Return what silence does to this one seat."""
    recommended = item.recommendation is Recommendation.REVOKE
    by_silence = silence is Silence.REMOVE or (silence is Silence.RECOMMENDATION and recommended)
    if not by_silence or not item.plan.writable or item.not_sure_by is not None:
        return "The seat is kept."
    return "The seat is removed." if mode is WriteMode.LIVE else "Nothing, as this is a dry run. Live, it is removed."


def how_assigned(item: ReviewItem) -> str:
    """Return how the present reviewer came to this seat."""
    match item.assigned_how:
        case AssignedHow.MANAGER:
            return "As manager in Entra."
        case AssignedHow.OWNER:
            return "As license owner of this SKU."
        case AssignedHow.PERSON:
            return "Named as reviewer of this campaign."
        case AssignedHow.FALLBACK:
            return _FALLBACK_WHY.get(item.assigned_reason or "", "As the fallback reviewer of this campaign.")
        case AssignedHow.DELEGATED:
            return "Passed on by the reviewer before."
        case AssignedHow.TAKEN_BACK:
            return "Taken back by who passed it on."
        case AssignedHow.NOT_SURE:
            return "As the fallback reviewer: the reviewer before was not sure."
        case AssignedHow.GIVEN_BACK:
            return "Given back by who had it in between."
        case AssignedHow.REASSIGNED:
            return "Moved here by an administrator."
        case _:
            assert_never(item.assigned_how)


_FALLBACK_WHY = {
    FallbackWhy.NO_MANAGER.value: "As the fallback reviewer: no manager in Entra.",
    FallbackWhy.MANAGER_DISABLED.value: "As the fallback reviewer: the reviewer’s account cannot review.",
    FallbackWhy.NO_OWNER.value: "As the fallback reviewer: this SKU has no license owner.",
    FallbackWhy.OWNER_DISABLED.value: "As the fallback reviewer: the license owner’s account cannot review.",
    FallbackWhy.OWNER_GONE.value: "As the fallback reviewer: the license owner has left.",
    FallbackWhy.GROUP_UNREAD.value: "As the fallback reviewer: the members of the owner group are not known yet.",
    FallbackWhy.GROUP_EMPTY.value: "As the fallback reviewer: nobody else in the owner group can review.",
    FallbackWhy.OWN_SEAT.value: "As the fallback reviewer: nobody decides a seat of their own.",
}


def answer_in_words(answer: Answer, zone: str) -> str:
    """Return "Revoked", "Kept until 12 Jan 2027. Reason: Legal hold", "Not sure"."""
    match answer.choice:
        case Choice.REVOKE:
            return "Revoked"
        case Choice.KEEP:
            until = f" until {formats.day(answer.keep_until)}" if answer.keep_until else ""
            why = f". Reason: {KEEP_REASONS[answer.reason]}" if answer.reason else ""
            return f"Kept{until}{why}"
        case Choice.NOT_SURE:
            return "Not sure"
        case Choice.WITHDRAWN:
            return "Taken back"
        case _:
            assert_never(answer.choice)


# What a seat ended by, by `ReviewItem.outcome_reason`; a reason of the form graph_403 carries Microsoft's status.
_ENDED_BY = {
    "kept_instead": "Somebody gave the removal up.",
    "done_by_hand": "Taken by hand, and read back: it is gone.",
    "gone_at_sync": "Taken by hand: a sync no longer found it.",
    "kept_by_reviewer": "The reviewer keeps it.",
    "approved_with_loss": "Revoked, though its data goes with it.",
    "not_sure": "The reviewers were not sure, so it is kept.",
    "no_answer": "Nobody answered, so it is kept.",
    "no_card_delivered": "No card reached the reviewer, so it is kept.",
    "needs_a_person": "Nobody answered, and only a person could remove it, so it is kept.",
    "read_back": "Gone when read back after the write.",
    "verified_later": "Gone at a later check.",
    "would_be_removed": "Live, it would have been removed.",
    "abandoned": "The campaign was closed before it was tried.",
    "person_gone": "The account was gone already.",
    "seat_gone": "The seat was gone already.",
    "path_newer_than_approval": "It was given again after the review began.",
    "account_enabled": "The account was enabled again.",
    "in_use": "It was used again.",
    **{blocker.value: f"It carries {what}, so it is held." for blocker, what in _NOBODYS.items()},
    "too_new": "It was given again.",
    "activity_unknown": "Its use could not be read any more.",
    "steps_differ": "It is held in another way than was approved.",
    "still_there": "Written, but still there after three days.",
    "unreadable": "Written, but it could not be read back for three days.",
}


# What a person has to do where Reclaim may not; {} as above.
_TO_DO: dict[Blocker, str] = {
    Blocker.GROUP_DYNAMIC: "Comes from the dynamic group {}. The group rule has to change.",
    Blocker.GROUP_SYNCED: "Comes from {}, managed on premises. Remove the person there.",
    Blocker.GROUP_MAIL_ENABLED: "Comes from the mail-enabled group {}. Remove the person in Exchange.",
    Blocker.NEEDED_BY: "{} needs it, and Reclaim cannot take that one away. Once that is gone, this can go.",
}


def blocking(item: ReviewItem) -> str:
    """Return the name of the group, or of the other license, that keeps us from removing this seat."""
    ref = item.plan.blocker_ref
    if item.plan.blocker is Blocker.NEEDED_BY:
        return _license_name(item.snapshot, ref)
    return _group_name(item.snapshot, ref)


def how_it_ended(item: ReviewItem) -> str:
    """Return why a seat ended as it did, in one or two sentences."""
    reason = item.outcome_reason or ""
    if reason == DataLoss.CONVERT_FIRST.value:
        return "Somebody makes the mailbox a shared one, and takes the license then."
    if item.outcome is Outcome.NOT_SUPPORTED and item.plan.blocker is not None:
        if item.plan.blocker in _TO_DO:
            return _TO_DO[item.plan.blocker].format(blocking(item))
        return f"{sentence_case(look_closer(item))} Somebody has to remove it by hand."
    if reason in _ENDED_BY:
        return _ENDED_BY[reason]
    status = reason.removeprefix("graph_").removeprefix("write:")
    if item.outcome is Outcome.FAILED and status.isdecimal():
        denied = "access denied " if status == "403" else ""
        return f"Microsoft answered: {denied}({status}). Nothing changed; retry is open."
    if item.outcome is Outcome.FAILED:
        return "Microsoft did not answer. Retry is open."
    return f"{sentence_case(OUTCOMES[item.outcome])}." if item.outcome else "Not ended yet."


def seat_title(item: ReviewItem) -> str:
    """Return "Isaiah Langer · Microsoft 365 Copilot" for a sentence or a context line."""
    return f"{formats.isolate(formats.one_line(item.snapshot.person_name, formats.NAME_MAX))} · {sku(item.snapshot.sku_name)}"


def _day(at: datetime, zone: str) -> str:
    return formats.day(local_day(at, zone))
