"""The command `reclaim`: the operator's own verbs, and every verb of the chat."""

import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NoReturn, Protocol

import click
from cryptography.fernet import Fernet

from bot.commands import COMMANDS
from bot.console.exit_codes import FAILED, MISUSED
from bot.console.run import misspelt, this_terminal
from bot.handling import Group, Verb
from bot.parsing import nearest_word
from cards.formats import one_line
from reclaim import log_context
from reclaim.domain.roles import Role
from reclaim.domain.syncing import SyncKind
from reclaim.errors import PortError, ReclaimError

_HELP: Final = ("-h", "--help")
_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
_NEW_FILE: Final = click.Path(dir_okay=False, writable=True, path_type=Path)


class Operations(Protocol):
    """What the verbs do, done by the composition root. Each returns an exit code.

    Raises:
        ReclaimError: What a person can mend, in words for them; a PortError where the work failed.
    """

    def rehearse(self, *, people: int, seed: int, port: int, auto: bool) -> int:
        """Run the product on a practice tenant; port 0 takes a free one."""

    def serve(self) -> int:
        """Run the product until it is told to stop."""

    def sync(self, kind: SyncKind) -> int:
        """Read the tenant, here or by the server that runs."""

    def scan(self, file: Path, *, prices: Path | None, names: bool) -> int:
        """Write into `file` what unused licenses cost."""

    def import_usage(
        self, file: Path, *, application: str | None, rejects: Path | None, skip_bad_rows: bool, adds: bool, again: bool
    ) -> int:
        """Take the usage of a file."""

    def list_usage(self) -> int:
        """Print the imports that count."""

    def upgrade(self) -> int:
        """Bring the tables to this version."""

    def teams_package(
        self, out: Path, *, bot_id: str, client_id: str | None, host: str, developer: str, version: str
    ) -> int:
        """Write the app package for Teams."""

    def slack_manifest(self, out: Path, *, host: str | None, socket_mode: bool, org_wide: bool) -> int:
        """Write the app manifest for Slack."""

    def say(self, words: Sequence[str]) -> int:
        """Give the router what one would type in chat behind /reclaim."""


class Said(click.Command):
    """A verb of the chat: all behind it goes to the router as it stands, and help comes from the verb itself."""

    def __init__(self, name: str, verbs: Sequence[Verb]) -> None:
        super().__init__(
            name,
            callback=self._run,
            params=[click.Argument(["words"], nargs=-1, type=click.UNPROCESSED)],
            # Without a verb there is no help either: the nearest verb is named.
            context_settings={"ignore_unknown_options": True, "help_option_names": list(_HELP) if verbs else []},
        )
        self._said = name
        self._verbs = verbs

    def _run(self, words: Sequence[str]) -> None:
        typed = [self._said, *words]
        _finish(lambda todo: todo.say(typed) if self._verbs else _misspelt(typed))

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what the verb does, its usage and an example; "seats" has "seats mine" below it."""
        for verb in self._verbs:
            formatter.write_usage("reclaim", verb.usage)
            with formatter.indentation():
                formatter.write_text(f"{verb.summary}{_only_in_chat(verb)}")
                formatter.write_text(f"Example: reclaim {verb.example}")


class Verbs(click.Group):
    """Our own verbs, and every verb of the chat."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return one of our verbs, or a command that says the words to the router."""
        verbs = [verb for verb in COMMANDS if verb.name.split()[0] == cmd_name.lower()]
        return super().get_command(ctx, cmd_name) or Said(cmd_name, verbs)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List our own verbs, then those of the chat by group, one line each."""
        own = [(name, self.commands[name].get_short_help_str(90)) for name in self.list_commands(ctx)]
        lists = {"Run": own} | {
            group.value: [
                (verb.name, f"{verb.summary}{_only_in_chat(verb)}")
                for verb in COMMANDS
                if verb.group is group and verb.name not in self.commands
            ]
            for group in Group
        }
        for title, lines in lists.items():
            with formatter.section(title):
                formatter.write_dl(lines, col_max=16)


def _only_in_chat(verb: Verb) -> str:
    return "" if Role.OPERATOR in verb.roles else " Only in chat."


@click.group(
    cls=Verbs,
    options_metavar="",
    subcommand_metavar="VERB ...",
    context_settings={"help_option_names": list(_HELP), "max_content_width": 100},
)
def cli() -> None:
    """Find idle Microsoft 365 seats, ask before one is taken away, keep the evidence.

    The verbs of the chat work here too, as the operator of this machine, also beside a running server. How to use one:
    reclaim VERB --help. Exit codes: 0 done, 1 the work failed or was refused, 2 the call or the installation must be
    mended first.
    """
    os.umask(0o077)  # databases and exported evidence are for the user who runs this


@cli.command()
@click.option("--people", type=click.IntRange(30, 1_000_000), default=400, show_default=True)
@click.option("--seed", type=int, default=7, show_default=True, help="The same seed makes the same tenant.")
@click.option("--port", type=click.IntRange(0, 65_535), default=0, help="0 takes a free one.")
@click.option("--auto", is_flag=True, help="Play the whole story without a person, check the books and exit.")
def rehearse(*, people: int, seed: int, port: int, auto: bool) -> None:
    """Rehearse the whole job on made-up people, in the browser."""
    _finish(lambda todo: todo.rehearse(people=people, seed=seed, port=port, auto=auto))


@cli.command()
def serve() -> None:
    """Run the product: jobs, due dates and the HTTP server."""
    _finish(lambda todo: todo.serve(), level=logging.INFO)


@cli.command()
@click.option("--accept", metavar="RUN", help="Complete a run that stopped because much would vanish.")
@click.option("--changes", is_flag=True, help="Read only what has changed since the last sync, and no sign-ins.")
def sync(*, accept: str | None, changes: bool) -> None:
    """Read the tenant now."""
    kind = SyncKind.CHANGES if changes else SyncKind.FULL
    _finish(lambda todo: todo.say(["sync", "--accept", accept]) if accept else todo.sync(kind))


@cli.command()
@click.option("--html", "file", type=_NEW_FILE, required=True, help="Where to write it.")
@click.option("--prices", type=_FILE, help="As RECLAIM_PRICES.")
@click.option("--names", is_flag=True, help="Name every idle seat and who holds it.")
def scan(*, file: Path, prices: Path | None, names: bool) -> None:
    """Look once and write what unused licenses cost: reads only, asks nobody, keeps no data."""
    _finish(lambda todo: todo.scan(file, prices=prices, names=names))


@cli.group()
def usage() -> None:
    """Bring in who used which application, for consent programs."""


@usage.command("import")
@click.argument("file", type=_FILE)
@click.option("--application", metavar="NAME", help="All rows are of this one; else the file has a column for it.")
@click.option(
    "--skip-bad-rows", is_flag=True, help="Take the good rows, and name the others. Else one bad row refuses all."
)
@click.option(
    "--rejects",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the bad rows go; else beside the file, as FILE.rejects.csv.",
)
@click.option("--add", is_flag=True, help="Add to what was imported before, as the bad rows once they are mended.")
@click.option("--again", is_flag=True, help="Take a file that was imported before, as after a sync.")
def import_usage(
    *, file: Path, application: str | None, skip_bad_rows: bool, rejects: Path | None, add: bool, again: bool
) -> None:
    """Import a CSV, or JSON objects one a line or in an array, as docs/consent.md describes it."""
    if rejects is not None and not skip_bad_rows:
        raise click.UsageError("--rejects goes with --skip-bad-rows: else one bad row refuses the file.")
    _finish(
        lambda todo: todo.import_usage(
            file, application=application, rejects=rejects, skip_bad_rows=skip_bad_rows, adds=add, again=again
        )
    )


@usage.command("list")
def list_usage() -> None:
    """List the imports that count, each with the SHA-256 of its file."""
    _finish(lambda todo: todo.list_usage())


@cli.group()
def db() -> None:
    """Care for the database."""


@db.command()
def upgrade() -> None:
    """Create the tables, or bring them to this version. On SQLite the server must be stopped."""
    _finish(lambda todo: todo.upgrade())


@cli.command("token-key")
def token_key() -> None:
    """Print a new RECLAIM_TOKEN_KEY, which encrypts the tokens of chat services at rest."""
    click.echo(Fernet.generate_key().decode())


@cli.group()
def manifest() -> None:
    """Make what an admin uploads to a chat service."""


@manifest.command("build")
@click.option("--for", "chat", type=click.Choice(["teams", "slack"]), default="teams", show_default=True)
@click.option("--bot-id", metavar="GUID", help="Teams: application id of the bot's registration.")
@click.option("--client-id", metavar="GUID", help="Teams: RECLAIM_CLIENT_ID, where that is another registration.")
@click.option("--host", help="Name under which the chat reaches this server: reclaim.contoso.com")
@click.option("--socket-mode", is_flag=True, help="Slack: this server asks Slack, which cannot reach it.")
@click.option("--org-wide", is_flag=True, help="Slack: an organisation may install it for all its workspaces.")
@click.option("--developer", default="Reclaim", show_default=True, help="Teams: who runs it; people see this name.")
@click.option("--version", default="1.0.0", show_default=True, help="Teams: higher at each update.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Where to write it.")
def build_manifest(
    *,
    chat: str,
    bot_id: str | None,
    client_id: str | None,
    host: str | None,
    socket_mode: bool,
    org_wide: bool,
    developer: str,
    version: str,
    out: Path | None,
) -> None:
    """Write the app package for Teams, or the app manifest for Slack."""
    if chat == "slack":
        target = out or Path("reclaim-slack.json")
        _finish(lambda todo: todo.slack_manifest(target, host=host, socket_mode=socket_mode, org_wide=org_wide))
    else:
        package = out or Path("reclaim-teams.zip")
        _finish(
            lambda todo: todo.teams_package(
                package, bot_id=bot_id or "", client_id=client_id, host=host or "", developer=developer, version=version
            )
        )


def _misspelt(words: Sequence[str]) -> int:
    near = nearest_word(words[0], cli.commands)
    if near is None:
        return misspelt(words, this_terminal())
    click.echo(f"I do not know “{one_line(words[0], 40)}”. Did you mean reclaim {near}?", err=True)
    return MISUSED


def _finish(work: Callable[[Operations], int], level: int = logging.WARNING) -> NoReturn:
    """Do the work of a verb and exit; what a person can mend is said in its own words, without a traceback."""
    log_context.configure(readable=sys.stderr.isatty(), level=level)
    try:
        code = work(click.get_current_context().obj)
    except PortError as error:
        click.echo(error.message, err=True)
        code = FAILED
    except ReclaimError as error:
        click.echo(error.message, err=True)
        code = MISUSED
    sys.exit(code)


def main(operations: Operations) -> None:
    """Run the command `reclaim` with the words of this process, and exit."""
    cli(prog_name="reclaim", obj=operations)
