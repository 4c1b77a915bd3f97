"""`/reclaim absences`: how much the list of absences holds; on the command line, load one or forget it."""

import asyncio
import csv
import os
from collections.abc import Sequence
from pathlib import Path

from bot.handling import CONSOLE, Call, Group, Verb
from bot.inbound import Reply
from cards.absences import absences_card, loaded_note
from cards.formats import one_line
from reclaim.domain.read_models import AbsentRow
from reclaim.domain.roles import RUN
from reclaim.errors import InvalidRequest

_USAGE = "Type: reclaim absences import FILE, or: reclaim absences clear"
_LARGEST = 50_000_000  # bytes; 200,000 rows take a third


async def show(call: Call) -> Reply:
    """Show the numbers, load a file, or forget all."""
    words, keeping = call.arguments.words, call.services.import_absences
    if not words:
        return Reply(cards=(absences_card(await keeping.view(), call.zone),))
    if call.actor.channel != CONSOLE:
        raise InvalidRequest("Absences are loaded on the command line only: reclaim absences import FILE")
    match words:
        case ("clear",):
            return Reply(cards=(absences_card(await keeping.clear(call.actor), call.zone, note="All forgotten."),))
        case ("import", file):
            return await _load(call, Path(file))
        case _:
            raise InvalidRequest(_USAGE)


async def _load(call: Call, path: Path) -> Reply:
    try:
        text = await asyncio.to_thread(_read, path)
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"{path} cannot be read as UTF-8 text. Nothing was loaded.", field="file") from error
    found, unknown = await call.services.import_absences.from_csv(call.actor, text)
    rejects = path.with_name(f"{path.name}.rejects.csv") if unknown else None
    if rejects is not None:
        try:
            await asyncio.to_thread(_write, rejects, unknown)
        except OSError:
            rejects = None
    note = loaded_note(found, len(unknown), one_line(str(rejects), 200) if rejects else None)
    return Reply(cards=(absences_card(found, call.zone, note=note),))


def _read(path: Path) -> str:
    if path.stat().st_size > _LARGEST:
        raise OSError("too large")
    return path.read_text(encoding="utf-8")


def _write(path: Path, rows: Sequence[AbsentRow]) -> None:
    """Write the rows as they stood, for nobody but who runs this."""
    with os.fdopen(
        os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8", newline=""
    ) as out:
        lines = csv.writer(out)
        lines.writerow(("line", "person", "from", "until"))
        lines.writerows((row.line, row.person, row.first, row.last or "") for row in rows)


ABSENCES = Verb(
    name="absences",
    summary="How many seats are left out because their holder may be away.",
    usage="absences [import FILE | clear]",
    example="absences import absences.csv",
    group=Group.ASK,
    roles=RUN,
    handler=show,
)
