"""What commands and buttons do to consent programs alike."""

from bot.handling import Asked
from bot.inbound import Reply
from cards.programs import program_card, programs_card, requests_card, waiting_card
from cards.trail import exported_card, report_card
from cards.view import CardView
from reclaim.domain.consent_program import ProgramState
from reclaim.domain.ids import PersonId, ProgramId
from reclaim.domain.roles import RUN


async def programs(asked: Asked, note: str | None = None) -> CardView:
    """Draw the programs that have not ended."""
    return programs_card(await asked.services.read_consent.programs(), asked.zone, note=note)


async def program(asked: Asked, program_id: ProgramId, note: str | None = None) -> CardView:
    """Draw one program, and what was just done to it."""
    view = await asked.services.read_consent.program(program_id)
    return program_card(view, asked.zone, may_run=asked.actor.may(RUN), note=note)


async def requests(asked: Asked, program_id: ProgramId, page: int, only: str | None) -> CardView:
    """Draw a page of a program's requests."""
    return requests_card(await asked.services.read_consent.page(program_id, page, only), asked.zone)


async def waiting(asked: Asked, program_id: ProgramId, note: str | None = None) -> CardView:
    """Draw a program's waiting list."""
    view = await asked.services.read_consent.program(program_id)
    found = await asked.services.read_consent.waiters(program_id)
    return waiting_card(view.program, found, asked.zone, note=note)


async def run(
    asked: Asked, program_id: ProgramId, people: tuple[PersonId, ...] = (), devices: tuple[str, ...] = ()
) -> CardView:
    """Start a run."""
    await asked.services.run_consent.start(asked.actor.id, program_id, people=people, devices=devices)
    return await program(asked, program_id, "It is looking now. You get a message when it is done.")


async def move(asked: Asked, program_id: ProgramId, state: ProgramState) -> CardView:
    """Pause a program, go on with it, or end it."""
    await asked.services.keep_programs.to(asked.actor, program_id, state)
    said = {
        ProgramState.PAUSED: "Paused. What is open stays open.",
        ProgramState.ACTIVE: "It goes on.",
        ProgramState.ENDED: "Ended. Who had not decided keeps what they have.",
    }[state]
    return await program(asked, program_id, said)


async def export(asked: Asked, program_id: ProgramId, *, run: int | None = None, pseudonymous: bool = False) -> Reply:
    """Hand the evidence of a program over as files, or of one run of it; without names the report alone."""
    name = (await asked.services.read_consent.program(program_id)).program.terms.name
    files = await asked.services.export_consent.export(asked.actor, program_id, run=run, pseudonymous=pseudonymous)
    card = report_card(name, files[0], pseudonymous=True) if pseudonymous else exported_card(name, files)
    return Reply(cards=(card,), files=files)
