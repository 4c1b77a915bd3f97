"""`/reclaim consent ...`: programs that ask who holds an application, or take it where they say so."""

from collections.abc import Mapping

from bot.consent_steps import export, move, program, programs, requests, run, waiting
from bot.handling import Call, Group, Verb
from bot.inbound import Reply
from cards.programs import loaded
from reclaim.domain.consent_program import TERM_NAMES, ConsentProgram, ProgramState
from reclaim.domain.ids import PersonId
from reclaim.domain.roles import LOOK, RUN
from reclaim.errors import InvalidRequest

_TERMS = frozenset(name.replace("_", "-") for name in TERM_NAMES)


async def show(call: Call) -> Reply:
    """List the programs, or show one: its funnel, or its requests."""
    given = call.arguments
    if given.text is None:
        if given.options or given.flags:
            raise InvalidRequest("Please name a program: consent PROGRAM --requests")
        return Reply(cards=(await programs(call),))
    found = await _program(call)
    if "requests" in given.flags or given.options:
        only = given.options.get("only")
        return Reply(cards=(await requests(call, found.id, given.number("page") or 1, only),))
    return Reply(cards=(await program(call, found.id),))


async def new(call: Call) -> Reply:
    """Make a program."""
    group = call.arguments.options.get("group")
    if group is None:
        raise InvalidRequest("Please name the group whose members hold the application: --group GROUP", field="group")
    made = await call.services.keep_programs.make(call.actor, group, _terms(call))
    return Reply(cards=(await program(call, made.id, "The program is made. Start it: Run now."),))


async def clone(call: Call) -> Reply:
    """Make a program for another group with the terms of one that is there."""
    found = await _program(call)
    group = call.arguments.options.get("group")
    if group is None:
        raise InvalidRequest("Please name the other group: --group GROUP", field="group")
    made = await call.services.keep_programs.clone(call.actor, found.id, group, _terms(call))
    return Reply(cards=(await program(call, made.id, f"Made with the terms of {found.terms.name}."),))


async def change(call: Call) -> Reply:
    """Change terms of a program."""
    found = await _program(call)
    await call.services.keep_programs.change(call.actor, found.id, _terms(call))
    return Reply(cards=(await program(call, found.id, "Changed. Open questions keep the time that they were given."),))


async def start(call: Call) -> Reply:
    """Run a program now, for everybody or for some people or devices only."""
    found = await _program(call)
    people = [await call.services.restore_seats.find_person(text) for text in call.arguments.all("person")]
    devices = tuple(call.arguments.all("device"))
    return Reply(cards=(await run(call, found.id, tuple(people), devices),))


async def pause(call: Call) -> Reply:
    """Pause a program."""
    return Reply(cards=(await move(call, (await _program(call)).id, ProgramState.PAUSED),))


async def resume(call: Call) -> Reply:
    """Go on with a paused program."""
    return Reply(cards=(await move(call, (await _program(call)).id, ProgramState.ACTIVE),))


async def end(call: Call) -> Reply:
    """End a program."""
    return Reply(cards=(await move(call, (await _program(call)).id, ProgramState.ENDED),))


async def load(call: Call) -> Reply:
    """Make or change the programs of a TOML file: all of them, or none."""
    name = call.arguments.options.get("file")
    if name is None or name not in call.files:
        raise InvalidRequest(
            "A file can be loaded on the command line only: reclaim consent load --file programs.toml", field="file"
        )
    done = await call.services.keep_programs.load(call.actor, call.files[name])
    return Reply(cards=(await programs(call, loaded(done)),))


async def wait(call: Call) -> Reply:
    """Show a waiting list; put somebody on it, or take them off."""
    found = await _program(call)
    given = call.arguments
    note: str | None = None
    if len(given.options) > 1:
        raise InvalidRequest("Please do one at a time: --add PERSON or --remove PERSON")
    if "add" in given.options:
        person = await _person(call, given.options["add"])
        await call.services.keep_programs.wait(call.actor, found.id, person)
        note = "They are on the list."
    if "remove" in given.options:
        person = await _person(call, given.options["remove"])
        await call.services.keep_programs.stop_waiting(call.actor, found.id, person)
        note = "They are off the list."
    return Reply(cards=(await waiting(call, found.id, note),))


async def evidence(call: Call) -> Reply:
    """Hand over the evidence of a program, or of one run of it."""
    program_id = (await _program(call)).id
    only = call.arguments.number("run")
    return await export(call, program_id, run=only, pseudonymous="pseudonymous" in call.arguments.flags)


async def _program(call: Call) -> ConsentProgram:
    text = call.arguments.text
    if text is None:
        raise InvalidRequest("Please name a program. The list: /reclaim consent")
    return await call.services.read_consent.find(text)


async def _person(call: Call, text: str) -> PersonId:
    return await call.services.restore_seats.find_person(text)


def _terms(call: Call) -> Mapping[str, str | int | bool]:
    options = call.arguments.options
    return {name: options[name.replace("_", "-")] for name in TERM_NAMES if name.replace("_", "-") in options}


CONSENT = Verb(
    name="consent",
    summary="Consent programs: who was asked to give up an application, and what came of it.",
    usage="consent [PROGRAM] [--requests] [--only STATE] [--page PAGE]",
    example="consent Visio",
    group=Group.ASK,
    roles=LOOK,
    handler=show,
    options=frozenset({"only", "page"}),
    flags=frozenset({"requests"}),
)
CONSENT_STATUS = Verb(
    name="consent status",
    summary="Where a consent program stands: who was asked, what they said, what is saved.",
    usage="consent status [PROGRAM]",
    example="consent status Miro",
    group=Group.LOOK,
    roles=LOOK,
    handler=show,
)
CONSENT_NEW = Verb(
    name="consent new",
    summary="Make a consent program for a group that opens an application.",
    usage="consent new --group GROUP --name NAME --application NAME --source SOURCE [--ask yes|no] [--unused-days DAYS]"
    " [--on-silence keep|escalate|remove] [--schedule CRON] and the other terms of docs/consent.md",
    example='consent new --group "App Miro" --name Miro --application Miro --source csv --schedule "0 8 * * mon"',
    group=Group.ASK,
    roles=RUN,
    handler=new,
    options=_TERMS | {"group"},
)
CONSENT_CLONE = Verb(
    name="consent clone",
    summary="Make a consent program for another group with the same terms.",
    usage="consent clone PROGRAM --group GROUP [--name NAME] [--application NAME] and any other term",
    example='consent clone Miro --group "App Mural" --name Mural --application Mural',
    group=Group.ASK,
    roles=RUN,
    handler=clone,
    options=_TERMS | {"group"},
)
CONSENT_SET = Verb(
    name="consent set",
    summary="Change terms of a consent program.",
    usage="consent set PROGRAM [--unused-days DAYS] [--ask yes|no] and any other term",
    example="consent set Miro --unused-days 45",
    group=Group.ASK,
    roles=RUN,
    handler=change,
    options=_TERMS,
)
CONSENT_RUN = Verb(
    name="consent run",
    summary="Run a consent program now, for everybody or for a list of people or devices.",
    usage="consent run PROGRAM [--person PERSON]... [--device NAME]...",
    example="consent run Miro",
    group=Group.ASK,
    roles=RUN,
    handler=start,
    lists=frozenset({"person", "device"}),
)
CONSENT_PAUSE = Verb(
    name="consent pause",
    summary="Pause a consent program: it asks nobody new.",
    usage="consent pause PROGRAM",
    example="consent pause Miro",
    group=Group.STOP,
    roles=RUN,
    handler=pause,
)
CONSENT_RESUME = Verb(
    name="consent resume",
    summary="Go on with a paused consent program.",
    usage="consent resume PROGRAM",
    example="consent resume Miro",
    group=Group.STOP,
    roles=RUN,
    handler=resume,
)
CONSENT_END = Verb(
    name="consent end",
    summary="End a consent program. Who has not decided keeps what they have.",
    usage="consent end PROGRAM",
    example="consent end Miro",
    group=Group.STOP,
    roles=RUN,
    handler=end,
)
CONSENT_LOAD = Verb(
    name="consent load",
    summary="Make or change consent programs from a TOML file, on the command line.",
    usage="consent load --file FILE",
    example="consent load --file programs.toml",
    group=Group.ASK,
    roles=RUN,
    handler=load,
    options=frozenset({"file"}),
)
CONSENT_WAITING = Verb(
    name="consent waiting",
    summary="Who waits for an application; put somebody on the list.",
    usage="consent waiting PROGRAM [--add PERSON | --remove PERSON]",
    example='consent waiting Miro --add "Miriam Graham"',
    group=Group.ASK,
    roles=RUN,
    handler=wait,
    options=frozenset({"add", "remove"}),
)
CONSENT_EXPORT = Verb(
    name="consent export",
    summary="A consent program’s evidence: report, CSV and JSON; or the report without names.",
    usage="consent export PROGRAM [--run NUMBER] [--pseudonymous]",
    example="consent export Miro",
    group=Group.PROVE,
    roles=LOOK,
    handler=evidence,
    options=frozenset({"run"}),
    flags=frozenset({"pseudonymous"}),
)
CONSENT_VERBS = (
    CONSENT,
    CONSENT_STATUS,
    CONSENT_NEW,
    CONSENT_SET,
    CONSENT_CLONE,
    CONSENT_RUN,
    CONSENT_PAUSE,
    CONSENT_RESUME,
    CONSENT_END,
    CONSENT_LOAD,
    CONSENT_WAITING,
    CONSENT_EXPORT,
)
