"""The command `reclaim` as somebody types it: exit codes, refusals, and one process at a time on a SQLite file."""

import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.commands import COMMANDS
from bot.handling import Group, Verb
from storage.migrate import upgrade

ROOT = Path(__file__).parents[2]
GUID = "72f988bf-86f1-41af-91ab-2d7cd011db47"
CONFIGURED = {
    "RECLAIM_TENANT_ID": GUID,
    "RECLAIM_CLIENT_ID": GUID,
    "RECLAIM_CLIENT_SECRET": "hunter2",
    "RECLAIM_LISTEN": "127.0.0.1:0",
}


class CommandLine:
    """Runs `reclaim` in an empty directory with an environment of its own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("RECLAIM_")}
        self.environment["PYTHONPATH"] = str(ROOT)

    def start(self, *words: str, **variables: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", "import app; app.main()", *words],
            cwd=self.directory,
            env={**self.environment, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, **variables: str) -> tuple[int, str, str]:
        """Return exit code, standard output and standard error."""
        with self.start(*words, **variables) as process:
            out, err = process.communicate(timeout=60)
            return process.returncode, out, err


@pytest.fixture
def reclaim(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path)


@pytest.fixture
def server(reclaim: CommandLine) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running `reclaim serve` on a fresh SQLite file, and its address."""
    with reclaim.start("serve", **CONFIGURED) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("Reclaim listens on "), process.stderr and process.stderr.read()
        yield process, f"http://{line.split()[3].rstrip('.')}"
        process.kill()


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["serve"], "skip_write"),
        (["sync"], "wrong_user"),
        (["db", "upgrade"], "no_readback"),
        (["spend"], "anything"),
        (["help"], ""),
    ],
)
def test_a_fault_of_the_rehearsal_is_refused_everywhere_else(
    reclaim: CommandLine, words: list[str], fault: str
) -> None:
    code, out, err = reclaim.run(*words, REHEARSAL_FAULT=fault, **CONFIGURED)

    assert (code, out) == (2, "")
    assert "REHEARSAL_FAULT" in err
    assert list(reclaim.directory.iterdir()) == []


def test_help_lists_every_verb_with_one_line_in_its_group(reclaim: CommandLine) -> None:
    code, out, err = reclaim.run("--help", COLUMNS="120")

    assert (code, err) == (0, "")
    groups = [line for line in out.splitlines() if line.endswith(":") and not line.startswith(" ")]
    assert groups == ["Options:", "Run:", *(f"{group.value}:" for group in Group)]
    listed = [line.strip().split("  ")[0] for line in out.splitlines() if line.startswith("  ")]
    own = {"rehearse", "serve", "sync", "db"}
    assert {verb.name for verb in COMMANDS} | own <= set(listed)


@pytest.mark.parametrize("verb", [verb for verb in COMMANDS if verb.name in {"spend", "why", "seats", "start"}])
def test_help_of_a_verb_needs_no_installation_and_shows_usage_and_example(verb: Verb, reclaim: CommandLine) -> None:
    code, out, err = reclaim.run(verb.name, "--help")

    assert (code, err) == (0, "")
    assert f"Usage: reclaim {verb.usage.split()[0]}" in out
    assert f"Example: reclaim {verb.example}" in out


@pytest.mark.parametrize(("typed", "meant"), [("statsu", "status"), ("rehears", "rehearse"), ("spedn", "spend")])
def test_a_misspelt_verb_names_the_nearest_and_exits_2(typed: str, meant: str, reclaim: CommandLine) -> None:
    code, out, err = reclaim.run(typed)

    assert (code, out) == (2, "")
    assert f"Did you mean reclaim {meant}?" in err


def test_an_unknown_fault_is_refused_by_the_rehearsal_too(reclaim: CommandLine) -> None:
    code, _, err = reclaim.run("rehearse", REHEARSAL_FAULT="skip_writes")

    assert code == 2
    assert "skip_write, wrong_user, no_readback" in err


def test_all_problems_of_the_settings_are_listed(reclaim: CommandLine) -> None:
    code, _, err = reclaim.run("serve", RECLAIM_ZONE="Mars/Base", RECLAIM_CLIENT_ID="reclaim")

    assert code == 2
    assert [line.split()[0] for line in err.splitlines()] == [
        "RECLAIM_TENANT_ID",
        "RECLAIM_CLIENT_SECRET",
        "RECLAIM_CLIENT_ID",
        "RECLAIM_ZONE",
    ]


def test_a_verb_without_tables_says_what_to_run_first(reclaim: CommandLine) -> None:
    code, _, err = reclaim.run("spend")

    assert code == 2
    assert "reclaim db upgrade" in err


def test_db_upgrade_makes_a_file_for_its_owner_alone_and_may_be_repeated(reclaim: CommandLine) -> None:
    first, second = reclaim.run("db", "upgrade"), reclaim.run("db", "upgrade")

    assert (first[0], second[0]) == (0, 0), first[2] + second[2]
    if os.name != "nt":
        assert (reclaim.directory / "reclaim.db").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("words", [["serve"], ["db", "upgrade"]])
def test_a_second_process_on_the_file_is_refused_and_told_who_has_it(
    reclaim: CommandLine, server: tuple[subprocess.Popen[str], str], words: list[str]
) -> None:
    code, _, err = reclaim.run(*words, **CONFIGURED)

    assert code == 2
    assert f"in use by process {server[0].pid}" in err


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGTERM")
def test_the_server_answers_and_ends_in_order_at_a_signal(server: tuple[subprocess.Popen[str], str]) -> None:
    process, address = server
    with urllib.request.urlopen(f"{address}/readyz") as answer:  # noqa: S310 - our own server on loopback
        assert json.load(answer) == {"ready": True, "missing": []}

    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)

    assert (process.returncode, err) == (0, "")


def test_a_database_of_another_tenant_is_refused(reclaim: CommandLine) -> None:
    reclaim.run("db", "upgrade")
    with closing(sqlite3.connect(reclaim.directory / "reclaim.db")) as database, database:
        database.execute(
            "INSERT INTO installation (key, value) VALUES ('tenant', '11111111-2222-3333-4444-555555555555')"
        )

    for verb in ("serve", "sync"):
        code, _, err = reclaim.run(verb, **CONFIGURED)

        assert code == 2
        assert "11111111-2222-3333-4444-555555555555" in err
        assert GUID in err


@pytest.mark.parametrize(
    "half",
    [
        {"RECLAIM_TEAMS_APP_ID": GUID},
        {"RECLAIM_TEAMS_APP_SECRET": "hunter3"},
        {"RECLAIM_TEAMS_APP_ID": GUID, "RECLAIM_TEAMS_APP_SECRET": "hunter3", "RECLAIM_TEAMS_MANAGED_IDENTITY": "true"},
        {
            "RECLAIM_TEAMS_APP_ID": GUID,
            "RECLAIM_TEAMS_APP_SECRET": "hunter3",
            "RECLAIM_DEVELOPMENT": "true",
            "RECLAIM_LISTEN": "0.0.0.0:3978",
        },
    ],
)
def test_a_bot_that_anybody_could_speak_to_does_not_start(reclaim: CommandLine, half: dict[str, str]) -> None:
    code, out, err = reclaim.run("serve", **{**CONFIGURED, **half})

    assert code == 2
    assert out == ""
    assert "RECLAIM_" in err
    assert "hunter" not in err


def test_an_import_of_usage_says_what_it_took_and_refuses_the_same_file(reclaim: CommandLine) -> None:
    file = reclaim.directory / "usage.csv"
    file.write_text("who,application,unused_days,observed_at\nada,Miro,45,2025-11-23\nbob,Miro,x,2025-11-23\n")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    upgrade(f"sqlite:///{reclaim.directory / 'reclaim.db'}")

    code, out, err = reclaim.run("usage", "import", "usage.csv", "--skip-bad-rows", **CONFIGURED)
    assert code == 0, err
    assert f"SHA-256 of the file: {digest}" in out
    assert "Line 3, column unused_days: “x” is no number of days" in out
    assert "reclaim usage import --add usage.csv.rejects.csv" in out
    assert (
        (reclaim.directory / "usage.csv.rejects.csv").read_text(encoding="utf-8").endswith(",bob,Miro,x,2025-11-23\n")
    )

    code, _, err = reclaim.run("usage", "import", "usage.csv", **CONFIGURED)
    assert (code, err.startswith("This file was already imported at ")) == (2, True), err
