"""The app manifest for Slack: `manifest/slack/manifest.json` filled in for one installation, as Slack's app pages take it.

Schema of version 2.0.0; what it leaves open (names of scopes and events) is held by our own lists.
https://docs.slack.dev/reference/app-manifest
"""

import json
import re
from pathlib import Path
from typing import Any, Final

from reclaim.errors import InvalidRequest

FILE: Final = Path(__file__).parents[2] / "manifest" / "slack" / "manifest.json"
# Least: write to people, answer commands, match members by mail, hand files over. Nothing is read from any conversation.
SCOPES: Final = ("chat:write", "commands", "files:write", "im:write", "users:read", "users:read.email")
EVENTS: Final = ("app_home_opened", "app_uninstalled", "tokens_revoked")


def build(*, host: str | None, org_wide: bool = False) -> bytes:
    """Return the manifest as JSON.

    Args:
        host: The name under which Slack reaches this server; None for Socket Mode, where it need not.
        org_wide: Whether an organisation may install it for all its workspaces.

    Raises:
        InvalidRequest: The host cannot be used.
    """
    manifest: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    settings = manifest["settings"]
    settings["org_deploy_enabled"] = org_wide
    manifest["oauth_config"]["scopes"]["bot"] = list(SCOPES)
    settings["event_subscriptions"]["bot_events"] = list(EVENTS)
    if host is None:
        settings["socket_mode_enabled"] = True
        del manifest["oauth_config"]["redirect_urls"]
        for part in (settings["event_subscriptions"], settings["interactivity"]):
            for name in ("request_url", "message_menu_options_url"):
                part.pop(name, None)
        for command in manifest["features"]["slash_commands"]:
            del command["url"]
    filled = _filled(manifest, _host(host) if host is not None else "")
    return (json.dumps(filled, indent=2, ensure_ascii=False) + "\n").encode()


def _filled(value: object, host: str) -> object:
    if isinstance(value, dict):
        return {key: _filled(part, host) for key, part in value.items()}
    if isinstance(value, list):
        return [_filled(part, host) for part in value]
    return value.replace("{host}", host) if isinstance(value, str) else value


def _host(text: str) -> str:
    host = text.strip().lower().removeprefix("https://").rstrip("/")
    if len(host) > 253 or re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", host) is None:
        raise InvalidRequest("The host is the name under which Slack reaches this server. Example: reclaim.contoso.com")
    return host
