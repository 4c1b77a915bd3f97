"""One command at the command line: what it says goes to standard output, a refusal to standard error."""

import getpass
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Final, TextIO

from bot.commands import COMMANDS
from bot.console.exit_codes import DONE, FAILED, MISUSED
from bot.console.hints import hints
from bot.inbound import Command, Dispatch
from bot.replies import unknown
from cards.text import render
from cards.view import CardView
from reclaim.domain.ids import PersonId
from reclaim.domain.read_models import ExportedFile
from reclaim.domain.roles import Role

CHANNEL: Final = "console"
_WIDEST: Final = 120  # columns of a card: wider, and the amounts stand too far from their names


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """Where a command speaks, and where its files go.

    Attributes:
        user: Name of the machine's user, who acts.
        width: Columns.
    """

    user: str
    out: TextIO
    err: TextIO
    directory: Path
    width: int = 80

    @property
    def operator(self) -> PersonId:
        """The id under which this user acts."""
        return PersonId(f"operator:{self.user}")


def this_terminal() -> Terminal:
    """Return the terminal of this process, for its user and its directory."""
    width = min(shutil.get_terminal_size().columns, _WIDEST)
    return Terminal(user=getpass.getuser(), out=sys.stdout, err=sys.stderr, directory=Path.cwd(), width=width)


def as_typed(words: Sequence[str]) -> str:
    """Return the words as one would type them in chat: the shell has taken the quotation marks away."""
    return " ".join(f'"{word}"' if not word or any(map(str.isspace, word)) else word for word in words)


async def run(
    dispatch: Dispatch, text: str, *, key: str, terminal: Terminal, files: Mapping[str, str] | None = None
) -> int:
    """Carry out a command and return the exit code: 0 done, 1 refused or unwell, 2 typed wrong or a file in the way.

    Args:
        text: All behind `reclaim`, as in chat.
        key: Unique for this request.
        files: Content of the files that the text names, by name as typed.
    """
    command = Command(person_id=terminal.operator, channel=CHANNEL, text=text, key=key, files=files or {})
    reply = await dispatch.command(command)
    stream = terminal.err if reply.error else terminal.out
    _print([*([reply.replace] if reply.replace else []), *reply.cards], stream, terminal.width)
    if reply.toast:
        print(reply.toast, file=stream)
    if reply.error:
        return MISUSED if reply.misused else FAILED
    return _save(reply.files, terminal) or (FAILED if reply.unwell else DONE)


def _print(cards: Iterable[CardView], stream: TextIO, width: int) -> None:
    """Print cards as text. What they say to type has no slash here, and their buttons stand as commands."""
    for card in cards:
        print(render(card, width).replace("/reclaim ", "reclaim "), end="\n\n", file=stream)
        if commands := hints(card):
            print(f"To go on: {', '.join(f'reclaim {command}' for command in commands)}", end="\n\n", file=stream)


def misspelt(words: Sequence[str], terminal: Terminal) -> int:
    """Say which verb may have been meant, and return the exit code. Asks neither settings nor a database."""
    allowed = [verb for verb in COMMANDS if Role.OPERATOR in verb.roles]
    _print(unknown(words, allowed).cards, terminal.err, terminal.width)
    return MISUSED


def _save(files: tuple[ExportedFile, ...], terminal: Terminal) -> int:
    """Write the files, all or none, and name them; evidence is never written over."""
    # The name only: what a file is called must not decide where it goes.
    paths = [terminal.directory / PurePath(file.name).name for file in files]
    there = [path for path in paths if path.exists()]
    for path in there:
        print(f"{path} is there already. Move it away first; nothing was written.", file=terminal.err)
    if there:
        return MISUSED
    for path, file in zip(paths, files, strict=True):
        with path.open("xb") as stream:
            stream.write(file.content)
        print(f"Wrote {path}", file=terminal.out)
    return DONE
