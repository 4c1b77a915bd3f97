"""The command line as a channel: the same commands as in chat, cards drawn as text.

The actor is `operator:<user of the machine>`; the router grants that role on this channel only.

command_line.py  the command `reclaim`: its verbs, options and help; app.py does what they stand for
run.py           one command, its cards to standard output, its files into a directory
exit_codes.py    what the command exits with
files.py         the files that a command names
hints.py         the commands that do what a card's buttons do
progress.py      a bar for a running sync
scan.py          the end of a scan
usage.py         a bar for an import of usage, and its end
"""

from bot.console.command_line import main
from bot.console.exit_codes import DONE, FAILED
from bot.console.files import read_files
from bot.console.progress import RUNNING, follow, outcome
from bot.console.run import Terminal, as_typed, run, this_terminal
from bot.console.scan import finish as finish_scan
from bot.console.usage import Skipped
from bot.console.usage import finish as finish_usage
from bot.console.usage import list_imports as list_usage
from bot.console.usage import reading as reading_usage

__all__ = [
    "DONE",
    "FAILED",
    "RUNNING",
    "Skipped",
    "Terminal",
    "as_typed",
    "finish_scan",
    "finish_usage",
    "follow",
    "list_usage",
    "main",
    "outcome",
    "read_files",
    "reading_usage",
    "run",
    "this_terminal",
]
