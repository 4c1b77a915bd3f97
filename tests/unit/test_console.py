import asyncio
import io
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.actions import ACTIONS
from bot.console import (
    Skipped,
    Terminal,
    finish_usage,
    follow,
    list_usage,
    outcome,
    read_files,
    run,
)
from bot.console.hints import SAME, hints
from bot.console.run import misspelt
from bot.inbound import Action, Command, Reply, Suggestion
from cards.view import Action as CardAction
from cards.view import CardView, Headline
from reclaim.domain.ids import PersonId
from reclaim.domain.read_models import ExportedFile, SyncView
from reclaim.domain.syncing import SyncKind
from reclaim.errors import InvalidRequest
from reclaim.ports.usage_storage import UsageImport
from reclaim.services.import_usage import Imported

CARD = CardView(kind="spend", headline=Headline(title="123 seats look idle"), body=(), fallback="123 seats")
FILE = ExportedFile(name="evidence.csv", media_type="text/csv", content=b"seat\n")
BUTTON = CardAction(label="Show spend", verb="command.run", ref="spend")
OTHER = ExportedFile(name="evidence.json", media_type="application/json", content=b"{}")
SYNC = SyncView(
    run_id="r1",
    state="complete",
    started_at=datetime(2026, 11, 23, 9, tzinfo=UTC),
    completed_at=None,
    people=1400,
    seats=2776,
    gone_people=0,
    gone_seats=0,
    sign_ins="known",
    error=None,
    idle=123,
)


class Answering:
    """A router that says one thing."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        self.commands: list[Command] = []

    async def command(self, command: Command) -> Reply:
        self.commands.append(command)
        return self.reply

    async def action(self, action: Action) -> Reply:
        raise NotImplementedError

    async def suggestions(self, person: PersonId) -> tuple[Suggestion, ...]:
        raise NotImplementedError

    async def people(self, person: PersonId, text: str) -> tuple[tuple[PersonId, str], ...]:
        raise NotImplementedError


class Said:
    """A terminal of strings."""

    def __init__(self, directory: Path) -> None:
        self._out, self._err = io.StringIO(), io.StringIO()
        self.terminal = Terminal(user="grace", out=self._out, err=self._err, directory=directory)

    @property
    def out(self) -> str:
        return self._out.getvalue()

    @property
    def err(self) -> str:
        return self._err.getvalue()


@pytest.fixture
def said(tmp_path: Path) -> Said:
    return Said(tmp_path)


async def answer(reply: Reply, said: Said) -> int:
    return await run(Answering(reply), "spend", key="k", terminal=said.terminal)


async def test_a_command_comes_from_the_operator_of_this_machine_and_keeps_its_words(said: Said) -> None:
    router = Answering(Reply())

    await run(router, "seats visio --days 60", key="k1", terminal=said.terminal)

    assert router.commands == [
        Command(person_id=PersonId("operator:grace"), channel="console", text="seats visio --days 60", key="k1")
    ]


async def test_cards_and_sentences_go_to_standard_output(said: Said) -> None:
    code = await answer(Reply(cards=(CARD,), toast="Noted."), said)

    assert (code, said.out, said.err) == (0, "123 seats look idle\n\nNoted.\n", "")


async def test_a_refusal_goes_to_standard_error_and_is_exit_code_1(said: Said) -> None:
    code = await answer(Reply(toast="This needs the role admin.", error=True), said)

    assert (code, said.out, said.err) == (1, "", "This needs the role admin.\n")


async def test_what_was_typed_wrong_is_exit_code_2(said: Said) -> None:
    code = await answer(Reply(toast="“4/12” is not a clear date.", error=True, misused=True), said)

    assert (code, said.err) == (2, "“4/12” is not a clear date.\n")


def test_a_misspelt_verb_names_the_nearest_as_it_is_typed_here_and_is_exit_code_2(said: Said) -> None:
    code = misspelt(["statsu"], said.terminal)

    assert (code, said.out) == (2, "")
    assert "I do not know “statsu”" in said.err
    assert "Did you mean reclaim status?" in said.err
    assert "Usage    reclaim status [CAMPAIGN]" in said.err
    assert "To go on: reclaim status, reclaim help" in said.err
    assert "/reclaim" not in said.err


async def test_buttons_stand_as_the_commands_that_do_the_same_where_the_operator_has_one(said: Said) -> None:
    buttons = (
        BUTTON,
        replace(BUTTON, ref="start"),
        replace(BUTTON, verb="close.early", ref="c1"),
        replace(BUTTON, verb="wave.revoke", ref="w1"),
        BUTTON,
    )

    await answer(Reply(cards=(replace(CARD, actions=buttons),)), said)

    assert said.out == "123 seats look idle\n\nTo go on: reclaim spend, reclaim close\n\n"


def test_every_command_in_the_place_of_a_button_is_one_that_exists() -> None:
    for verb in SAME:
        card = replace(CARD, actions=(replace(BUTTON, verb=verb, ref="c1"),))

        assert verb in {action.name for action in ACTIONS}
        assert len(hints(card)) == 1


async def test_files_are_written_and_named(said: Said, tmp_path: Path) -> None:
    code = await answer(Reply(files=(FILE, OTHER)), said)

    assert code == 0
    assert said.out == f"Wrote {tmp_path / 'evidence.csv'}\nWrote {tmp_path / 'evidence.json'}\n"
    assert (tmp_path / "evidence.csv").read_bytes() == b"seat\n"
    assert (tmp_path / "evidence.json").read_bytes() == b"{}"


async def test_no_file_is_written_over_and_then_none_is_written(said: Said, tmp_path: Path) -> None:
    (tmp_path / "evidence.json").write_text("mine")

    code = await answer(Reply(files=(FILE, OTHER)), said)

    assert code == 2
    assert str(tmp_path / "evidence.json") in said.err
    assert (tmp_path / "evidence.json").read_text() == "mine"
    assert not (tmp_path / "evidence.csv").exists()


async def test_a_files_name_does_not_decide_where_it_goes(said: Said, tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    terminal = replace(said.terminal, directory=inside)

    await run(Answering(Reply(files=(replace(FILE, name="../outside.csv"),))), "export", key="k", terminal=terminal)

    assert [path.name for path in inside.iterdir()] == ["outside.csv"]
    assert not (tmp_path / "outside.csv").exists()


async def test_following_returns_what_the_work_returned_and_draws_nothing_into_a_file() -> None:
    stream = io.StringIO()

    async def read_all() -> SyncView:
        await asyncio.sleep(0)
        return SYNC

    async def view() -> SyncView | None:
        return replace(SYNC, state="running")

    assert await follow(read_all(), view, stream) == SYNC
    assert stream.getvalue() == ""


async def test_following_raises_what_the_work_raised() -> None:
    async def fail() -> SyncView:
        raise LookupError("gone")

    async def view() -> SyncView | None:
        return None

    with pytest.raises(LookupError):
        await follow(fail(), view, io.StringIO())


async def test_work_that_nobody_follows_any_more_is_cancelled() -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    async def read_all() -> SyncView:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return SYNC

    async def view() -> SyncView | None:
        return None

    following = asyncio.create_task(follow(read_all(), view, io.StringIO()))
    await began.wait()
    following.cancel()

    await asyncio.wait_for(ended.wait(), timeout=5)


@pytest.mark.parametrize(
    ("sync", "sentence", "complete"),
    [
        (SYNC, "Read 1,400 people and 2,776 seats. 123 seats look idle.", True),
        (replace(SYNC, idle=None), "Read 1,400 people and 2,776 seats.", True),
        (
            replace(SYNC, state="stopped", gone_people=200, gone_seats=310),
            "Stopped: 200 people and 310 seats would be gone. If that is right: reclaim sync --accept r1",
            False,
        ),
        (
            replace(SYNC, state="failed", error="Access was denied."),
            "The sync did not finish after 1,400 people and 2,776 seats. Access was denied.",
            False,
        ),
        (
            replace(SYNC, state="running"),
            "The sync did not finish after 1,400 people and 2,776 seats. Please try again later.",
            False,
        ),
        (
            replace(SYNC, idle=7, kind=SyncKind.CHANGES),
            "Read what has changed: 1,400 people and 2,776 seats. 7 seats look idle.",
            True,
        ),
    ],
)
def test_a_sync_ends_in_one_sentence(sync: SyncView, sentence: str, complete: bool) -> None:
    assert outcome(sync) == (sentence, complete)


@pytest.mark.parametrize("words", [["simulate", "--csv", "{}"], ["start", "--csv={}", "--never"]])
def test_a_file_that_a_command_names_is_read(tmp_path: Path, words: list[str]) -> None:
    path = tmp_path / "seats.csv"
    path.write_bytes("\ufeffperson\nzoë@x.com\n".encode())

    files = read_files([word.format(path) for word in words])

    assert files == {str(path): "person\nzoë@x.com\n"}


def test_a_command_without_a_file_reads_none() -> None:
    assert read_files(["simulate", "--days", "60", "--csv"]) == {}
    assert read_files(["simulate", "--csv", "--never"]) == {}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read: No such file or directory."),
        ("person\nzoë".encode("cp1252"), "is not UTF-8. Save it as UTF-8."),
        (b"x" * 2_000_001, "has more than 2,000,000 bytes. Cut it into several files."),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_what_to_do(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    path = tmp_path / "seats.csv"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(InvalidRequest) as caught:
        read_files(["simulate", "--csv", str(path)])

    assert caught.value.message == f"{path} {said}"


async def test_the_text_of_the_files_goes_with_the_command(tmp_path: Path) -> None:
    router = Answering(Reply(cards=(CARD,)))

    await run(router, "simulate --csv a.csv", key="k", terminal=Said(tmp_path).terminal, files={"a.csv": "person\n"})

    assert router.commands[0].files == {"a.csv": "person\n"}


# Imports of usage ------------------------------------------------------------------------------------------------------
IMPORTED = UsageImport(
    id="i1",
    source="csv",
    application="Miro",
    name="usage.csv",
    at=datetime(2026, 11, 23, 9, tzinfo=UTC),
    by="operator:ada",
    rows=1_200,
    unmatched=3,
    newest=datetime(2026, 11, 22, 6, tzinfo=UTC),
    sha256="ab" * 32,
)


def test_imports_are_listed_with_what_they_were_read_from() -> None:
    out = io.StringIO()

    list_usage([IMPORTED, replace(IMPORTED, source="nexthink", newest=None, sha256=None)], out)

    assert out.getvalue() == (
        "Miro (csv): 1,200 rows, seen until 2026-11-22 06:00 UTC\n"
        "  imported at 2026-11-23 09:00 UTC by operator:ada from usage.csv\n"
        f"  SHA-256 {'ab' * 32}\n"
        "Miro (nexthink): 1,200 rows\n"
        "  imported at 2026-11-23 09:00 UTC by operator:ada from usage.csv\n"
    )


def test_an_import_says_its_digest_and_how_its_bad_rows_come_back() -> None:
    out = io.StringIO()
    done = Imported(imports=[IMPORTED], unmatched=["eve"], ambiguous=[])

    finish_usage(done, "ab" * 32, Skipped(rows=2, problems=["Line 3: bad"], file=Path("my rejects.csv")), out)

    assert out.getvalue().splitlines() == [
        "Miro: 1,200 rows, seen until 2026-11-22 06:00 UTC.",
        "  3 rows of nobody in this tenant.",
        "Nobody here: eve",
        f"SHA-256 of the file: {'ab' * 32}",
        "2 rows were skipped. Whoever they name is unknown, and is not asked:",
        "  Line 3: bad",
        "All of them are in my rejects.csv, which only you can read. Mend them there, then:",
        "  reclaim usage import --add 'my rejects.csv'",
    ]
