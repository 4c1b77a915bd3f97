"""The app package for Teams: `manifest/teams` filled in for one bot, as the zip that an admin uploads.

The command menu comes from the verbs, so that it cannot name one that is not there.
Limits: schema of the Teams app manifest, version 1.29; older clients take ten commands of 32 and 128 characters.
"""

import io
import json
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from uuid import UUID

from bot.handling import Verb
from reclaim.domain.roles import Role
from reclaim.errors import InvalidRequest

FOLDER: Final = Path(__file__).parents[2] / "manifest" / "teams"
ICONS: Final = ("color.png", "outline.png")
MOST_COMMANDS: Final = 10
MOST_TITLE, MOST_DESCRIPTION = 32, 128
MOST_DEVELOPER: Final = 32
# What a menu has room for, most used first.
_PERSONAL: Final = ("inbox", "help", "status", "spend", "start", "seats", "seats mine", "campaigns", "why", "export")
_NO_TIME: Final = (1980, 1, 1, 0, 0, 0)  # the same package for the same input, byte by byte


def build(
    *, bot_id: str, client_id: str | None, host: str, developer: str, version: str, verbs: Sequence[Verb]
) -> bytes:
    """Return the package.

    Args:
        bot_id: The bot's app id; it is the app's id too.
        client_id: The application that speaks to Graph; None: the bot's own. Graph lets an application install only the
            Teams app that names it.
        host: The name under which this installation is reached.
        developer: Who runs it, at most 32 characters.
        version: Of the package, as 1.0.0; a catalogue takes an update only with a higher one.
        verbs: All of the chat.

    Raises:
        InvalidRequest: One of them cannot be used.
    """
    values = {
        "bot_id": _guid(bot_id, "bot"),
        "client_id": _guid(client_id or bot_id, "client"),
        "host": _host(host),
        "developer": _developer(developer),
        "version": _version(version),
    }
    manifest = json.loads((FOLDER / "manifest.json").read_text(encoding="utf-8"))
    filled = _filled(manifest, values)
    filled["bots"][0]["commandLists"] = _menus(verbs)
    content = {"manifest.json": (json.dumps(filled, indent=2, ensure_ascii=False) + "\n").encode()}
    content |= {name: (FOLDER / name).read_bytes() for name in ICONS}
    return _zipped(content)


def _menus(verbs: Sequence[Verb]) -> list[dict[str, object]]:
    by_name = {verb.name: verb for verb in verbs}
    personal = [by_name[name] for name in _PERSONAL if name in by_name]
    public = [verb for verb in verbs if verb.public]
    return [
        {"scopes": [scope], "commands": [_command(verb) for verb in chosen[:MOST_COMMANDS]]}
        for scope, chosen in (("personal", personal), ("team", public))
    ]


def _command(verb: Verb) -> dict[str, str]:
    who = "" if Role.EMPLOYEE in verb.roles else " (for those who run Reclaim)"
    return {"title": verb.name[:MOST_TITLE], "description": f"{verb.summary}{who}"[:MOST_DESCRIPTION]}


def _filled(value: object, values: dict[str, str]) -> dict[str, list[dict[str, object]]]:
    def fill(node: object) -> object:
        if isinstance(node, dict):
            return {key: fill(part) for key, part in node.items()}
        if isinstance(node, list):
            return [fill(part) for part in node]
        return node.format_map(values) if isinstance(node, str) else node

    return fill(value)  # type: ignore[return-value]  # our own file has this shape


def _zipped(content: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for name in sorted(content):
            entry = zipfile.ZipInfo(name, _NO_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            package.writestr(entry, content[name])
    return buffer.getvalue()


def _guid(text: str, whose: str) -> str:
    try:
        return str(UUID(text.strip()))
    except ValueError as error:
        raise InvalidRequest(f"The {whose} id is the application id of a registration in Entra, a GUID.") from error


def _host(text: str) -> str:
    host = text.strip().lower().removeprefix("https://").rstrip("/")
    if len(host) > 253 or re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", host) is None:
        raise InvalidRequest("The host is the name under which Teams reaches this server. Example: reclaim.contoso.com")
    return host


def _developer(text: str) -> str:
    if not 0 < len(text.strip()) <= MOST_DEVELOPER:
        raise InvalidRequest(f"The developer is who runs Reclaim, in at most {MOST_DEVELOPER} characters.")
    return text.strip()


def _version(text: str) -> str:
    if re.fullmatch(r"\d{1,4}\.\d{1,4}\.\d{1,4}", text.strip()) is None:
        raise InvalidRequest("The version is three numbers. Example: 1.0.0")
    return text.strip()
