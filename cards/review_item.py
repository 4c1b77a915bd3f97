"""One seat in full: the question, what was answered to it, and how it ended."""

from dataclasses import replace

from cards import formats
from cards.phrases import NEXT, cancelled, close_time, dry_run, first, group, moved_to, name, quoted, sku, title
from cards.reasons import (
    ANSWERED,
    KEEP_REASONS,
    account,
    answer_in_words,
    by_hand,
    evidence,
    how_assigned,
    if_you_do_not_answer,
    if_you_revoke,
    last_sign_in,
    last_use,
    look_closer,
    path,
    source,
)
from cards.restores import way_strip
from cards.view import Action, Box, CardView, Element, Emphasis, Fact, Facts, Headline, Paragraph, Refresh, Strip, Tone
from reclaim.domain.campaign import CampaignState, WriteMode
from reclaim.domain.moves import MAX_HANDOVERS
from reclaim.domain.read_models import ItemView
from reclaim.domain.removal import Blocker, Outcome, StepKind
from reclaim.domain.review import Answer, AssignedHow, Choice, DataLoss, Recommendation, Waiting

_GONE = "The seat is already gone. Nothing to do."
_REVOKED = {
    None: "✓ You revoked this seat.",
    DataLoss.ANYWAY: "✓ You revoked this seat. Its data goes with it.",
    DataLoss.CONVERT_FIRST: "✓ Convert first. At the close an admin gets a task: make the mailbox a shared one.",
}
_DONE_HERE = "Nothing left to do for you."
_BACK_TO_MAX = 18  # with "Back to " and isolates within the 30 characters of a label


def item_card(view: ItemView, zone: str, *, may_restore: bool = False) -> CardView:
    """Draw a seat in the state that this viewer meets it in; `may_restore`: they may undo a removal."""
    asks = is_open_for_viewer(view)
    item = view.item
    strips = _question(view, zone) if asks else _settled(view, zone, may_restore=may_restore)
    body: list[Element] = [*strips, *dry_run(view.mode), Facts(_facts(view, zone))]
    if asks:
        if item.handovers >= MAX_HANDOVERS:
            body.append(Paragraph("This seat was passed on three times. Please decide, or pick Not sure."))
        body.append(_what_follows(view, zone))
    monthly = item.snapshot.monthly
    return CardView(
        kind="review.item",
        headline=Headline(
            title=name(item.snapshot.person_name),
            amount=formats.price(monthly),
            context=sku(item.snapshot.sku_name),
            unit="a month" if monthly else None,
        ),
        body=tuple(body),
        actions=_actions(view) if asks else (),
        back=_back(view, asks=asks),
        fallback=_fallback(view, zone, asks=asks),
        refresh=Refresh("item.open", item.id),
    )


def why_card(view: ItemView, zone: str) -> CardView:
    """Draw why this seat was put to this reviewer."""
    item = view.item
    parts = [Paragraph("Why it looks unused", heading=True), Paragraph(evidence(item, view.now, view.days, zone))]
    if not item.plan.writable:
        parts.append(Paragraph(f"Look closer: {look_closer(item)}"))
    parts += [
        Paragraph("How the reviewer was chosen", heading=True),
        Paragraph(how_assigned(item)),
        Paragraph("What the data is", heading=True),
        Paragraph(f"Sign-ins of the account, read {formats.moment(item.snapshot.data_as_of, zone)} from Microsoft."),
        *([Paragraph(source(item.snapshot))] if item.snapshot.reported_at else []),
    ]
    return CardView(
        kind="review.why",
        headline=Headline(
            title="Why this seat?", context=f"{name(item.snapshot.person_name)} · {sku(item.snapshot.sku_name)}"
        ),
        body=(*parts, Box(parts=((NEXT, _why_next(view, zone)),))),
        back=Action(label="‹ Back to the seat", verb="item.open", ref=item.id, submits=False),
        fallback=f"{title(view.campaign_name)}: why one seat is on your list.",
    )


def is_open_for_viewer(view: ItemView) -> bool:
    """Whether this viewer may answer now."""
    item = view.item
    return (
        view.campaign_state is CampaignState.OPEN and view.may_answer and item.answer is None and item.outcome is None
    )


def _why_next(view: ItemView, zone: str) -> str:
    if view.campaign_state is not CampaignState.OPEN:
        return "The campaign takes no answers any more."
    silence = if_you_do_not_answer(view.item, view.silence, view.mode)
    return f"It closes {formats.due(view.closes_at, zone)}. If you do not answer: {silence}"


def _question(view: ItemView, zone: str) -> list[Strip]:
    item = view.item
    strips = []
    if view.from_name and item.assigned_reason:
        strips.append(Strip(tone=Tone.NEUTRAL, text=f"From {name(view.from_name)}: {quoted(item.assigned_reason)}"))
    if item.assigned_how is AssignedHow.GIVEN_BACK and view.moved_by_name:
        strips.append(Strip(tone=Tone.NEUTRAL, text=f"{name(view.moved_by_name)} gave this seat back."))
    elif item.assigned_how is AssignedHow.REASSIGNED:
        by = f" by {name(view.moved_by_name)}" if view.moved_by_name else ""
        strips.append(Strip(tone=Tone.NEUTRAL, text=f"Moved to you{by}."))
    if view.group_name:
        strips.append(Strip(tone=Tone.NEUTRAL, text=f"For {group(view.group_name)}: the first answer counts."))
    if item.recommendation is Recommendation.REVOKE:
        detail = evidence(item, view.now, view.days, zone)
        strips.append(Strip(tone=Tone.RECOMMEND, text="Recommended: revoke", detail=detail))
    else:
        strips.append(Strip(tone=Tone.NEUTRAL, text=f"Look closer: {look_closer(item)}"))
    return strips


def _state(view: ItemView, zone: str) -> list[Strip]:
    """Return the strip of a seat that waits for nothing from this viewer (UX.md 2.0, in its order)."""
    item = view.item
    if view.campaign_state is CampaignState.CANCELLED:
        return [Strip(tone=Tone.NEUTRAL, text=cancelled(view.cancelled_by_name, view.cancelled_at, zone))]
    if item.outcome is not None:
        return [_ended(view, item.outcome, zone)]
    if item.waiting is not None:
        return [_waiting(view, item.waiting, zone)]
    if item.answer is not None:
        return [_answered(view, item.answer, zone)]
    if item.delegated_by == view.viewer_id:
        return [_passed_on(view, zone)]
    if item.not_sure_by == view.viewer_id:
        who = name(view.assignee_name) if view.assignee_name else "The fallback reviewer"
        return [Strip(tone=Tone.NEUTRAL, text=f"Noted. {who} takes a second look.", detail=_DONE_HERE)]
    if view.campaign_state is not CampaignState.OPEN:
        return [Strip(tone=Tone.NEUTRAL, text=f"Closed on {formats.moment(view.closes_at, zone)} without an answer.")]
    who = name(view.assignee_name) if view.assignee_name else "nobody"
    if item.assigned_how is AssignedHow.REASSIGNED:
        return [Strip(tone=Tone.NEUTRAL, text=moved_to(who, view.moved_by_name), detail=_DONE_HERE)]
    return [Strip(tone=Tone.NEUTRAL, text=f"This seat is with {who} now.", detail=_DONE_HERE)]


def _settled(view: ItemView, zone: str, *, may_restore: bool) -> list[Strip]:
    """Return the strip of a seat that asks nothing; of one that is gone also the way back, for who may take it."""
    way = view.way
    if way is None:
        return _state(view, zone)
    able = may_restore and way.open
    strip = way_strip(way, zone)
    if strip is not None:
        again = (Action(label="Try again", verb="restore.item", ref=view.item.id),) if able else ()
        return [replace(strip, actions=again)]
    if not able or way.until is None:
        return _state(view, zone)
    undo = Action(label="Restore…", verb="restore.open", ref=view.item.id, submits=False)
    until = f"It can be restored until {formats.moment(way.until, zone)}."
    return [*_state(view, zone), Strip(tone=Tone.NEUTRAL, text=until, actions=(undo,))]


def _answered(view: ItemView, answer: Answer, zone: str) -> Strip:
    when = formats.moment(answer.at, zone)
    if answer.by != view.viewer_id:
        who = name(view.answered_by_name or "Someone")
        return Strip(tone=Tone.NEUTRAL, text=f"{who} {ANSWERED[answer.choice]} this seat on {when}.", detail=_DONE_HERE)
    undo: tuple[Action, ...] = ()
    if view.campaign_state is CampaignState.OPEN:
        undo = (Action(label="Undo", verb="item.undo", ref=view.item.id, submits=False),)
    if answer.choice is Choice.NOT_SURE:
        text = "Noted. Nobody else takes a second look, so the seat is kept."
        return Strip(tone=Tone.NEUTRAL, text=text, detail=when, actions=undo)
    text = _REVOKED[answer.data_loss]
    if answer.choice is Choice.KEEP:
        until = f" until {formats.day(answer.keep_until, weekday=True)}" if answer.keep_until else ""
        why = f" Reason: {KEEP_REASONS[answer.reason]}." if answer.reason else ""
        text = f"✓ You kept this seat{until}.{why}"
    return Strip(tone=Tone.GOOD, text=text, detail=when, actions=undo)


def _passed_on(view: ItemView, zone: str) -> Strip:
    who = name(view.assignee_name or "someone else")
    text = f"You passed this seat to {who}. Open until {formats.due(view.closes_at, zone)}."
    actions: tuple[Action, ...] = ()
    if view.campaign_state is CampaignState.OPEN:
        actions = (Action(label="Take it back", verb="item.take_back", ref=view.item.id, submits=False),)
    return Strip(tone=Tone.NEUTRAL, text=text, actions=actions)


def _waiting(view: ItemView, waiting: Waiting, zone: str) -> Strip:
    closed = f"Closed on {formats.moment(view.closes_at, zone)}."
    if waiting is Waiting.FROZEN:
        return Strip(tone=Tone.WARNING, text="Removals are frozen. The answer is saved and waits.", detail=closed)
    return Strip(tone=Tone.NEUTRAL, text=f"{closed} The seat is being removed.")


def _ended(view: ItemView, outcome: Outcome, zone: str) -> Strip:
    item = view.item
    on = formats.moment(item.outcome_at, zone) if item.outcome_at else formats.moment(view.closes_at, zone)
    match outcome:
        case Outcome.REMOVED:
            return Strip(tone=Tone.GOOD, text=f"Removed and checked on {on}.")
        case Outcome.KEPT:
            return Strip(tone=Tone.NEUTRAL, text=_kept(view, zone))
        case Outcome.ACTIVE_AGAIN:
            return Strip(tone=Tone.GOOD, text=f"Used again, seen on {on}. Nothing to do, the seat stays.")
        case Outcome.ALREADY_ABSENT:
            return Strip(tone=Tone.NEUTRAL, text=_GONE)
        case Outcome.REGRANTED:
            return Strip(tone=Tone.NEUTRAL, text="Somebody gave the seat again after the answer. It stays.")
        case Outcome.PLAN_CHANGED:
            return Strip(tone=Tone.NEUTRAL, text="What the seat hangs on changed after the answer. It stays.")
        case Outcome.HELD:
            return Strip(tone=Tone.NEUTRAL, text=f"Held and kept: {look_closer(item)}")
        case Outcome.NOT_SUPPORTED if item.outcome_reason == DataLoss.CONVERT_FIRST.value:
            text = "Somebody makes the mailbox a shared one first. The seat is still there."
            return Strip(tone=Tone.NEUTRAL, text=text)
        case Outcome.NOT_SUPPORTED:
            return Strip(tone=Tone.WARNING, text=f"{by_hand(item)} The answer is recorded and the seat is still there.")
        case Outcome.MANUAL_DONE:
            return Strip(tone=Tone.GOOD, text=f"Removed by hand and checked on {on}.")
        case Outcome.DRY_RUN:
            return Strip(tone=Tone.NEUTRAL, text="Dry run: the removal was approved and nothing was removed.")
        case Outcome.SUPERSEDED:
            return Strip(tone=Tone.NEUTRAL, text="The removal was called off. The seat stays.")
        case Outcome.FAILED:
            text = "The removal did not work. The seat is still there, and it can be tried again."
            return Strip(tone=Tone.WARNING, text=text)


def _kept(view: ItemView, zone: str) -> str:
    item, closed = view.item, formats.moment(view.closes_at, zone)
    if item.answer is not None and item.answer.choice is Choice.KEEP:
        return f"Closed on {closed}. Kept."
    if item.not_sure_by is not None or item.answer is not None:
        return f"Closed on {closed}. Nobody was sure, so the seat was kept."
    return f"Closed on {closed} without an answer. The seat was kept, as this campaign says."


def _facts(view: ItemView, zone: str) -> tuple[Fact, ...]:
    item = view.item
    facts = [
        *last_use(item.snapshot, view.now),
        Fact("Last sign-in", last_sign_in(item.snapshot, item.rule, view.now, zone)),
        Fact("Account", account(item.snapshot, zone)),
        Fact("Seat", path(item.snapshot, zone)),
    ]
    if view.other_skus:
        shown = ", ".join(sku(one) for one in view.other_skus[:3])
        more = f" and {len(view.other_skus) - 3} more" if len(view.other_skus) > 3 else ""
        facts.append(Fact("Other seats", f"{shown}{more}"))
    if view.earlier_answers:
        earlier = "; ".join(answer_in_words(answer, zone) for answer in view.earlier_answers[:3])
        facts.append(Fact("Earlier answers", earlier))
    if item.answer is not None and item.answer.note:
        facts.append(Fact("Note", formats.one_line(item.answer.note, formats.NOTE_MAX)))
    if view.checked_at is not None:
        facts.append(Fact("Checked", formats.moment(view.checked_at, zone)))
    return tuple(facts)


def _what_follows(view: ItemView, zone: str) -> Box:
    close = close_time(view.closes_at, zone)
    change = f"You can change your answer until {close}; if it closes earlier, your list tells you before."
    return Box(
        parts=(
            ("If you revoke", _if_you_revoke(view, zone)),
            ("If you do not answer", if_you_do_not_answer(view.item, view.silence, view.mode)),
            (NEXT, change if view.mode is WriteMode.LIVE else f"You can change your answer until {close}."),
        )
    )


def _if_you_revoke(view: ItemView, zone: str) -> str:
    item = view.item
    text = if_you_revoke(item, view.closes_at, view.mode, zone, may_lose_data=view.may_lose_data)
    gives_back = any(step.kind is StepKind.DIRECT for step in item.plan.steps)
    if view.no_usage_location and gives_back and (item.can_revoke or view.may_lose_data):
        text += " It could not be given back before the account has a usage location in Entra."
    return text


def _actions(view: ItemView) -> tuple[Action, ...]:
    item = view.item
    recommended = item.recommendation is Recommendation.REVOKE
    actions = []
    if item.can_revoke:
        filled = Emphasis.RECOMMENDED if recommended else Emphasis.DEFAULT
        actions.append(Action(label="Revoke", verb="item.revoke", ref=item.id, emphasis=filled))
    actions.append(Action(label="Keep…" if recommended else "Keep", verb="item.keep", ref=item.id))
    loses = item.can_lose and view.may_lose_data
    if loses:
        actions.append(
            Action(label="Revoke anyway…", verb="item.lose", ref=item.id, emphasis=Emphasis.DANGER, submits=False)
        )
    if item.handovers < MAX_HANDOVERS:
        actions.append(Action(label="Delegate…", verb="item.delegate", ref=item.id))
    if loses and item.plan.blocker is Blocker.LAST_MAILBOX:
        actions.append(Action(label="Convert to shared first", verb="item.convert", ref=item.id, more=True))
    actions.append(Action(label="Not sure", verb="item.not_sure", ref=item.id, more=True))
    if view.back_to_name:
        back_to = formats.one_line(view.back_to_name, _BACK_TO_MAX)
        back = first(back_to) if item.moved_from in (None, item.delegated_by) else formats.isolate(back_to)
        actions.append(Action(label=f"Back to {back}", verb="item.give_back", ref=item.id, more=True, submits=False))
    actions.append(Action(label="Why this seat?", verb="item.why", ref=item.id, more=True))
    return tuple(actions)


def _back(view: ItemView, *, asks: bool) -> Action | None:
    others = view.others_open - (1 if asks else 0)
    if others <= 0 and asks:
        return None
    label = f"‹ All {formats.count(view.others_open, 'seat')}" if view.others_open > 1 else "‹ Back to the list"
    return Action(label=label, verb="wave.open", ref=view.item.campaign_id, submits=False)


def _fallback(view: ItemView, zone: str, *, asks: bool) -> str:
    if not asks:
        return f"{title(view.campaign_name)}: one seat, with nothing left to do for you."
    monthly = view.item.snapshot.monthly
    price = f"{formats.money(monthly)} a month" if monthly else "no price"
    return f"One seat to check, {price}. Answer by {formats.due(view.closes_at, zone)}."
