"""Clicks on consent requests and programs: a holder's answer, a manager's decision, and what runs a program."""

from bot.consent_steps import export, move, program, programs, requests, run
from bot.handling import ActionVerb, Click, FormRefused
from bot.inbound import Reply
from bot.parsing import choice_of, text_of
from cards.consent import appeal_card, appeal_form, keep_form, leave_form, removed_card, request_card
from cards.programs import run_card
from cards.view import CardView
from reclaim.domain.appeals import TEXT_LENGTH
from reclaim.domain.consent import NOTE_LENGTH, StillUsed
from reclaim.domain.consent_appeal import ConsentAppealState
from reclaim.domain.consent_program import ProgramState
from reclaim.domain.consent_views import ConsentView
from reclaim.domain.ids import ConsentId, ConsentRunId, ProgramId
from reclaim.domain.roles import EVERYONE, LOOK, RUN
from reclaim.errors import InvalidRequest

_ALL = "all"


async def present(click: Click) -> CardView:
    """Draw the request as it stands for who clicked."""
    return request_card(await _view(click), click.zone)


async def open_request(click: Click) -> Reply:
    """Draw the request as it stands."""
    return Reply(replace=await present(click))


async def present_receipt(click: Click) -> CardView:
    """Draw the receipt as it stands."""
    return removed_card(await _view(click), click.zone)


async def open_receipt(click: Click) -> Reply:
    """Draw the receipt as it stands."""
    return Reply(replace=await present_receipt(click))


async def agree(click: Click) -> Reply:
    """The holder gives it up."""
    view = await click.services.answer_consent.agree(click.actor, ConsentId(click.ref))
    return Reply(replace=request_card(view, click.zone))


async def keep(click: Click) -> Reply:
    """Ask why, in a form that may stay empty."""
    return Reply(replace=keep_form(await _view(click), click.zone))


async def keep_submit(click: Click) -> Reply:
    """The holder still uses it."""
    try:
        view = await click.services.answer_consent.keep(
            click.actor,
            ConsentId(click.ref),
            reason=choice_of(click.inputs, "reason", StillUsed),
            note=text_of(click.inputs, "note", longest=2 * NOTE_LENGTH),
        )
    except InvalidRequest as error:
        filled = click.filled(error)
        raise FormRefused(keep_form(await _view(click), click.zone, filled), error.message) from error
    return Reply(replace=request_card(view, click.zone))


async def later(click: Click) -> Reply:
    """The holder wants to be asked again."""
    view = await click.services.answer_consent.later(click.actor, ConsentId(click.ref))
    return Reply(replace=request_card(view, click.zone))


async def undo(click: Click) -> Reply:
    """The holder takes it back before anything is written."""
    view = await click.services.answer_consent.withdraw(click.actor, ConsentId(click.ref))
    return Reply(replace=request_card(view, click.zone))


async def back(click: Click) -> Reply:
    """The holder gets back what was removed."""
    view = await click.services.answer_consent.give_back(click.actor, ConsentId(click.ref))
    return Reply(replace=removed_card(view, click.zone) if _on_receipt(view) else request_card(view, click.zone))


async def take(click: Click) -> Reply:
    """The manager takes it back."""
    view = await click.services.answer_consent.decide(click.actor, ConsentId(click.ref), take=True)
    return Reply(replace=request_card(view, click.zone))


async def stays(click: Click) -> Reply:
    """The manager lets it stay."""
    view = await click.services.answer_consent.decide(click.actor, ConsentId(click.ref), take=False)
    return Reply(replace=request_card(view, click.zone))


async def appeal(click: Click) -> Reply:
    """Ask for the one sentence of an appeal."""
    return Reply(replace=appeal_form(await _view(click), click.zone))


async def appeal_submit(click: Click) -> Reply:
    """The holder appeals."""
    try:
        text = text_of(click.inputs, "text", longest=2 * TEXT_LENGTH)
        view = await click.services.appeal_consent.appeal(click.actor, ConsentId(click.ref), text)
    except InvalidRequest as error:
        filled = click.filled(error)
        raise FormRefused(appeal_form(await _view(click), click.zone, filled), error.message) from error
    return Reply(replace=removed_card(view, click.zone))


async def present_appeal(click: Click) -> CardView:
    """Draw an appeal as it stands for who decides."""
    return appeal_card(await _view(click), click.zone)


async def open_appeal(click: Click) -> Reply:
    """Draw an appeal as it stands for who decides."""
    return Reply(replace=await present_appeal(click))


async def give(click: Click) -> Reply:
    """The one who decides gives it back."""
    view = await click.services.appeal_consent.answer(click.actor, ConsentId(click.ref), give=True)
    return Reply(replace=appeal_card(view, click.zone))


async def leave(click: Click) -> Reply:
    """Ask for a reason before it stays removed."""
    view = await _view(click)
    is_open = view.appeal is not None and view.appeal.state is ConsentAppealState.OPEN
    return Reply(replace=leave_form(view, click.zone) if is_open else appeal_card(view, click.zone))


async def leave_submit(click: Click) -> Reply:
    """The one who decides leaves it removed."""
    try:
        reason = text_of(click.inputs, "reason", longest=2 * TEXT_LENGTH)
        view = await click.services.appeal_consent.answer(click.actor, ConsentId(click.ref), give=False, reason=reason)
    except InvalidRequest as error:
        filled = click.filled(error)
        raise FormRefused(leave_form(await _view(click), click.zone, filled), error.message) from error
    return Reply(replace=appeal_card(view, click.zone))


# Programs -----------------------------------------------------------------------------------------------------------


async def present_programs(click: Click) -> CardView:
    """Draw the programs that have not ended."""
    return await programs(click)


async def open_programs(click: Click) -> Reply:
    """Draw the programs that have not ended."""
    return Reply(replace=await present_programs(click))


async def present_program(click: Click) -> CardView:
    """Draw one program."""
    return await program(click, ProgramId(click.ref))


async def open_program(click: Click) -> Reply:
    """Draw one program in place of the card."""
    return Reply(replace=await present_program(click))


async def show_program(click: Click) -> Reply:
    """Draw one program below the list that leads to it."""
    return Reply(cards=(await present_program(click),))


async def run_program(click: Click) -> Reply:
    """Run a program now."""
    return Reply(replace=await run(click, ProgramId(click.ref)))


async def pause_program(click: Click) -> Reply:
    """Pause a program."""
    return Reply(replace=await move(click, ProgramId(click.ref), ProgramState.PAUSED))


async def resume_program(click: Click) -> Reply:
    """Go on with a program."""
    return Reply(replace=await move(click, ProgramId(click.ref), ProgramState.ACTIVE))


async def export_program(click: Click) -> Reply:
    """Hand over the evidence of a program."""
    return await export(click, ProgramId(click.ref))


async def present_requests(click: Click) -> CardView:
    """Draw a page of a program's requests; `ref` is program:state:page."""
    program_id, _, rest = click.ref.partition(":")
    only, _, page = rest.partition(":")
    number = int(page) if page.isdecimal() and len(page) < 6 else 1
    return await requests(click, ProgramId(program_id), number, None if only in ("", _ALL) else only)


async def open_requests(click: Click) -> Reply:
    """Draw a page of a program's requests."""
    return Reply(replace=await present_requests(click))


async def present_run(click: Click) -> CardView:
    """Draw what a run has found."""
    return run_card(await click.services.read_consent.run(ConsentRunId(click.ref)), click.zone)


async def open_run(click: Click) -> Reply:
    """Draw what a run has found."""
    return Reply(replace=await present_run(click))


async def _view(click: Click) -> ConsentView:
    return await click.services.read_consent.view(ConsentId(click.ref), click.actor.id)


def _on_receipt(view: ConsentView) -> bool:
    """Whether the holder clicked on a receipt: who gave it up has it on their own card."""
    return view.request.answered_by != view.request.person_id


CONSENT_ACTIONS: tuple[ActionVerb, ...] = (
    ActionVerb(name="consent.open", roles=EVERYONE, handler=open_request),
    ActionVerb(name="consent.receipt", roles=EVERYONE, handler=open_receipt),
    ActionVerb(name="consent.agree", roles=EVERYONE, handler=agree, present=present),
    ActionVerb(name="consent.keep", roles=EVERYONE, handler=keep, present=present),
    ActionVerb(name="consent.keep.submit", roles=EVERYONE, handler=keep_submit, present=present),
    ActionVerb(name="consent.later", roles=EVERYONE, handler=later, present=present),
    ActionVerb(name="consent.undo", roles=EVERYONE, handler=undo, present=present),
    ActionVerb(name="consent.back", roles=EVERYONE, handler=back, present=present),
    ActionVerb(name="consent.take", roles=EVERYONE, handler=take, present=present),
    ActionVerb(name="consent.stays", roles=EVERYONE, handler=stays, present=present),
    ActionVerb(name="consent.appeal", roles=EVERYONE, handler=appeal, present=present_receipt),
    ActionVerb(name="consent.appeal.submit", roles=EVERYONE, handler=appeal_submit, present=present_receipt),
    ActionVerb(name="consent.appealed", roles=EVERYONE, handler=open_appeal),
    ActionVerb(name="consent.give", roles=EVERYONE, handler=give, present=present_appeal),
    ActionVerb(name="consent.leave", roles=EVERYONE, handler=leave, present=present_appeal),
    ActionVerb(name="consent.leave.submit", roles=EVERYONE, handler=leave_submit, present=present_appeal),
    ActionVerb(name="programs.open", roles=LOOK, handler=open_programs),
    ActionVerb(name="program.open", roles=LOOK, handler=open_program),
    ActionVerb(name="program.show", roles=LOOK, handler=show_program),
    ActionVerb(name="program.run", roles=RUN, handler=run_program, present=present_program),
    ActionVerb(name="program.pause", roles=RUN, handler=pause_program, present=present_program),
    ActionVerb(name="program.resume", roles=RUN, handler=resume_program, present=present_program),
    ActionVerb(name="program.export", roles=LOOK, handler=export_program, present=present_program),
    ActionVerb(name="requests.open", roles=LOOK, handler=open_requests),
    ActionVerb(name="consentrun.open", roles=LOOK, handler=open_run),
)
