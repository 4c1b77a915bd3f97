"""People at Slack: what they type and press reaches the bot as Slack sends it, signed.

Whether an answer comes in time is not measured here, where a pause of the machine would count as ours: `test_late` holds the
core back, and the answer comes all the same.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from aiohttp.test_utils import TestClient

from bot.slack.guard import sign
from bot.slack.route import PATH
from tests.slack.workspace import Message, Workspace

SECRET = "the signing secret"
FORM = "application/x-www-form-urlencoded"

Client = TestClient[web.Request, web.Application]


@dataclass
class Slack:
    """Slack's side of the conversation with the bot.

    Attributes:
        now: What its clock says when it signs.
        enterprise: Of the workspace, or None.
    """

    client: Client
    workspace: Workspace
    now: datetime
    enterprise: str | None = None
    events: int = 0

    async def send(self, raw: bytes, kind: str = FORM, **headers: str) -> tuple[int, str]:
        """Send a signed body; return status and body of the answer."""
        at = str(int(self.now.timestamp()))
        signed = {
            "Content-Type": kind,
            "X-Slack-Request-Timestamp": at,
            "X-Slack-Signature": sign(SECRET.encode(), at, raw),
            **headers,
        }
        async with self.client.post(PATH, data=raw, headers=signed) as answer:
            return answer.status, await answer.text()

    async def type(self, user: str, text: str, **fields: str) -> dict[str, Any]:
        """Type `/reclaim …`; return what the person is shown at once."""
        typed = {
            "command": "/reclaim",
            "text": text,
            "team_id": self.workspace.team,
            "channel_id": "C01",
            "user_id": user,
            "trigger_id": self.workspace.trigger(user),
            "response_url": self.workspace.response_url(None, user),
            **fields,
        }
        status, body = await self.send(urlencode(typed).encode())
        assert status == 200, (status, body)
        said: dict[str, Any] = json.loads(body) if body else {}
        if said.get("text") or said.get("blocks"):
            self.workspace.show_ephemeral(user, said)
        return said

    async def press(self, user: str, where: Message | Mapping[str, Any], label: str, **changes: Any) -> int:
        """Press the button, or pick the menu entry, that reads so."""
        blocks = where.blocks if isinstance(where, Message) else where["blocks"]
        return await self.interact(user, where, _pressed(blocks, label), **changes)

    async def interact(
        self,
        user: str,
        where: Message | Mapping[str, Any],
        action: Mapping[str, Any],
        *,
        ticked: list[str] | None = None,
        **changes: Any,
    ) -> int:
        """Send a click on something; `ticked` are the values of all boxes that are ticked, as drawn where None.

        `changes` are other fields of the payload; a leading underscore is left out.
        """
        payload = {
            "type": "block_actions",
            "actions": [{"action_id": "x", "block_id": "b", **action}],
            **self._sender(user),
        }
        if isinstance(where, Message):
            payload["response_url"] = self.workspace.response_url(where, user)
            payload["container"] = {
                "type": "message",
                "message_ts": where.ts,
                "channel_id": where.channel,
                "is_ephemeral": where.ephemeral_for is not None,
            }
            payload["channel"] = {"id": where.channel}
            payload["state"] = {"values": state_of(where.blocks, ticked)}
            if where.ephemeral_for is None:
                payload["message"] = {"ts": where.ts, "text": where.text, "blocks": where.blocks}
        else:
            payload["view"] = {**where, "state": {"values": state_of(where["blocks"], ticked)}}
            payload["container"] = {"type": "view", "view_id": where.get("id", "V0")}
        payload |= {name.lstrip("_"): value for name, value in changes.items()}
        return (await self.send(urlencode({"payload": json.dumps(payload)}).encode()))[0]

    async def submit(self, user: str, view: Mapping[str, Any], **filled: Any) -> dict[str, Any]:
        """Submit a modal with these fields; return what Slack is told, and do it."""
        view_state = {**state_of(view["blocks"], filled.pop("ticked", None)), **_filled(view["blocks"], filled)}
        payload = {
            "type": "view_submission",
            **self._sender(user),
            "view": {**view, "state": {"values": view_state}},
        }
        status, body = await self.send(urlencode({"payload": json.dumps(payload)}).encode())
        assert status == 200, (status, body)
        said: dict[str, Any] = json.loads(body) if body else {}
        if said.get("response_action") == "update":
            self.workspace.views[view["id"]].update(said["view"], hash=f"h-{view['id']}")
        elif said.get("response_action") in (None, "clear"):
            del self.workspace.views[view["id"]]
        return said

    async def look_up(self, user: str, typed: str) -> list[dict[str, Any]]:
        """Type into a people picker; return what it offers."""
        payload = {"type": "block_suggestion", "action_id": "v", "block_id": "in:who:x", "value": typed} | self._sender(
            user
        )
        status, body = await self.send(urlencode({"payload": json.dumps(payload)}).encode())
        assert status == 200
        offered: list[dict[str, Any]] = json.loads(body)["options"]
        return offered

    async def event(self, event: Mapping[str, Any], **changes: Any) -> int:
        """Send an event."""
        self.events += 1
        body = {
            "type": "event_callback",
            "team_id": self.workspace.team,
            "event_id": f"Ev{self.events}",
            "event": event,
            **changes,
        }
        return (await self.send(json.dumps(body).encode(), "application/json"))[0]

    def open_view(self, user: str) -> dict[str, Any]:
        """Return the modal that this person looks at."""
        [view] = [view for view in self.workspace.views.values() if view["user"] == user]
        return view

    def _sender(self, user: str) -> dict[str, Any]:
        return {
            "trigger_id": self.workspace.trigger(user),
            "team": {"id": self.workspace.team},
            "user": {"id": user, "team_id": self.workspace.team},
            "enterprise": {"id": self.enterprise} if self.enterprise else None,
        }


def state_of(blocks: list[dict[str, Any]], ticked: list[str] | None = None) -> dict[str, Any]:
    """Return what Slack reports of boxes and fields as they stand."""
    state: dict[str, Any] = {}
    for block in blocks:
        for element in [*block.get("elements", []), *([block["element"]] if "element" in block else [])]:
            kind = element.get("type")
            if kind == "checkboxes":
                chosen = element.get("initial_options", [])
                if ticked is not None and block["block_id"].startswith("ticks:"):
                    chosen = [option for option in element["options"] if option["value"] in ticked]
                held: dict[str, Any] = {"selected_options": chosen}
            elif kind in ("radio_buttons", "static_select", "external_select") and "initial_option" in element:
                held = {"selected_option": element["initial_option"]}
            elif kind in ("plain_text_input", "number_input"):
                held = {"value": element.get("initial_value")}
            elif kind == "datepicker":
                held = {"selected_date": element.get("initial_date")}
            else:
                continue
            state.setdefault(block["block_id"], {})[element["action_id"]] = {"type": kind, **held}
    return state


def _filled(blocks: list[dict[str, Any]], filled: Mapping[str, Any]) -> dict[str, Any]:
    state: dict[str, Any] = {}
    for name, value in filled.items():
        [block] = [each for each in blocks if str(each.get("block_id", "")).startswith(f"in:{name}:")]
        kind = block["element"]["type"]
        held: dict[str, Any]
        match kind:
            case "radio_buttons" | "static_select" | "external_select":
                held = {"selected_option": {"value": value} if value else None}
            case "checkboxes":
                held = {"selected_options": [{"value": "true"}] if value else []}
            case "datepicker":
                held = {"selected_date": value}
            case _:
                held = {"value": value}
        state[block["block_id"]] = {"v": {"type": kind, **held}}
    return state


def _pressed(blocks: list[dict[str, Any]], label: str) -> dict[str, Any]:
    for block in blocks:
        for element in [*block.get("elements", []), *([block["accessory"]] if "accessory" in block else [])]:
            if element.get("type") == "button" and element["text"]["text"] == label:
                return {**element, "block_id": block.get("block_id", "b")}
            for option in element.get("options", []) if element.get("type") in ("overflow", "static_select") else []:
                if option["text"]["text"] == label:
                    return {
                        "type": element["type"],
                        "action_id": element["action_id"],
                        "block_id": block.get("block_id", "b"),
                        "selected_option": option,
                    }
    raise AssertionError(f"nothing reads “{label}” here: {json.dumps(blocks)[:2000]}")


async def settled(*waits: Any) -> None:
    """Wait for what goes on behind answers."""
    for wait in waits:
        await wait()
    await asyncio.sleep(0)
