"""`/reclaim exclude`, `/reclaim absences` and `/reclaim spend SKU`, typed."""

from pathlib import Path

import pytest

from bot.inbound import Reply
from cards.view import CardView
from tests.golden.cards import models
from tests.unit.bot.fakes import ADMIN, OPERATOR, Bot


def only(reply: Reply) -> CardView:
    (card,) = reply.cards
    return card


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ('exclude --group "Executive board" --reason x', "group", "Executive board"),
        ("exclude --name svc-* --reason x", "name", "svc-*"),
        ("exclude --admins --reason x", "admin_roles", ""),
        ("exclude --guests --reason x", "guests", ""),
        ("exclude --employee-type Intern --reason x", "employee_type", "Intern"),
        ("exclude adele@contoso.com --reason x", "person", "adele@contoso.com"),
    ],
)
async def test_what_is_left_out_is_named_in_one_way(text: str, kind: str, value: str) -> None:
    bot = Bot()

    card = only(await bot.router.command(bot.command(ADMIN, text)))

    assert card.kind == "exclusions"
    assert bot.core.calls[-1][:4] == ("exclude", ADMIN, kind, value)


@pytest.mark.parametrize("text", ["exclude --group A --name b* --reason x", "exclude --admins --guests --reason x"])
async def test_two_ways_at_once_are_refused(text: str) -> None:
    bot = Bot()

    card = only(await bot.router.command(bot.command(ADMIN, text)))

    assert "Please name one: a person, --group, --name" in card.fallback
    assert bot.core.calls == []


async def test_a_list_is_loaded_on_the_command_line_and_its_rejects_are_for_the_operator_alone(tmp_path: Path) -> None:
    bot, file = Bot(), tmp_path / "hr.csv"
    file.write_text("person,from,until\n", encoding="utf-8")

    card = only(await bot.router.command(bot.command(OPERATOR, f"absences import {file}")))

    rejects = tmp_path / "hr.csv.rejects.csv"
    assert card.kind == "absences"
    assert ("load_absences", OPERATOR, "person,from,until\n") in bot.core.calls
    assert rejects.read_text(encoding="utf-8").splitlines() == [
        "line,person,from,until",
        "3,nobody@contoso.example,2027-01-04,",
    ]
    assert rejects.stat().st_mode & 0o077 == 0


async def test_in_a_chat_absences_are_a_count_and_no_file_is_read() -> None:
    bot = Bot()

    shown = only(await bot.router.command(bot.command(ADMIN, "absences")))
    refused = only(await bot.router.command(bot.command(ADMIN, "absences import /etc/passwd")))

    assert shown.fallback == "48 absences, 12 idle seats left out."
    assert "command line only" in refused.fallback
    assert bot.core.calls == []


@pytest.mark.parametrize("text", ["absences import", "absences export x", "absences import missing.csv"])
async def test_a_mistake_is_said_and_nothing_is_loaded(text: str) -> None:
    bot = Bot()

    card = only(await bot.router.command(bot.command(OPERATOR, text)))

    assert card.kind == "bad_argument"
    assert bot.core.calls == []


async def test_spend_of_one_sku_counts_every_seat() -> None:
    bot = Bot()

    card = only(await bot.router.command(bot.command(ADMIN, 'spend "Visio Plan 2" --days 60')))

    assert card.kind == "population"
    assert bot.core.calls[-1] == ("population", models.VISIO, 60)
