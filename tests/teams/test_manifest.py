"""The app package: valid against Microsoft's schema, the same bytes every time, and refusals that say what to give."""

import io
import json
import struct
import zipfile
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bot.commands import COMMANDS
from bot.teams.manifest import FOLDER, build
from reclaim.errors import InvalidRequest

SCHEMA = Path(__file__).parents[3] / "shared" / "data" / "MicrosoftTeams-v1.29.schema.json"
BOT = "5C0F6F5E-7A37-4F0F-9F3E-0D7C0E7F1A11"


def package(**changes: str) -> bytes:
    given = {"bot_id": BOT, "host": "reclaim.contoso.com", "developer": "Contoso IT", "version": "1.2.3", **changes}
    client_id = given.pop("client_id", None)
    return build(**given, client_id=client_id, verbs=COMMANDS)


def manifest(content: bytes) -> dict[str, object]:
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        found: dict[str, object] = json.loads(opened.read("manifest.json"))
    return found


def test_the_manifest_is_valid_against_the_schema() -> None:
    if not SCHEMA.exists():
        pytest.skip("the schema of the Teams manifest is not at hand")
    jsonschema.Draft4Validator(json.loads(SCHEMA.read_text())).validate(manifest(package()))


def test_the_app_names_the_registration_that_installs_it() -> None:
    client = "0e000000-0000-4000-8000-000000000000"
    both: Any = [manifest(package())["webApplicationInfo"], manifest(package(client_id=client))["webApplicationInfo"]]
    assert [each["id"] for each in both] == [BOT.lower(), client]


def test_nothing_is_left_to_fill_in() -> None:
    text = json.dumps(manifest(package()))
    assert "{" + "host}" not in text
    assert BOT.lower() in text


def test_the_package_holds_the_manifest_and_both_icons_and_is_the_same_every_time() -> None:
    assert package() == package()
    with zipfile.ZipFile(io.BytesIO(package())) as opened:
        assert opened.namelist() == ["color.png", "manifest.json", "outline.png"]


@pytest.mark.parametrize(("name", "side", "colour_type"), [("color.png", 192, 2), ("outline.png", 32, 6)])
def test_icons_have_the_size_and_kind_that_teams_asks_for(name: str, side: int, colour_type: int) -> None:
    header = (FOLDER / name).read_bytes()[16:26]
    assert struct.unpack(">IIBB", header) == (side, side, 8, colour_type)


def test_the_menus_name_verbs_that_are_there_within_the_limits_of_older_clients() -> None:
    names = {verb.name for verb in COMMANDS}
    bots: Any = manifest(package())["bots"]
    (bot,) = bots
    menus = {menu["scopes"][0]: menu["commands"] for menu in bot["commandLists"]}
    assert set(menus) == {"personal", "team"}
    for commands in menus.values():
        assert 1 <= len(commands) <= 10
        for command in commands:
            assert command["title"] in names
            assert len(command["title"]) <= 32
            assert len(command["description"]) <= 128
    public = {verb.name for verb in COMMANDS if verb.public}
    assert {command["title"] for command in menus["team"]} <= public


@pytest.mark.parametrize(
    "wrong",
    [
        {"bot_id": "reclaim"},
        {"client_id": "reclaim"},
        {"host": "localhost"},
        {"host": "http://reclaim.contoso.com"},
        {"host": "reclaim.contoso.com/path"},
        {"host": "{bot_id}.contoso.com"},
        {"developer": ""},
        {"developer": "x" * 33},
        {"version": "1.0"},
    ],
)
def test_what_cannot_be_used_is_refused_with_what_to_give(wrong: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest):
        package(**wrong)
