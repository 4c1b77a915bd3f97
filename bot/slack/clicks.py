"""Interactions as Slack sends them, read: what was clicked or submitted, where it stands, and what stood in its fields. Pure.

Shapes: https://docs.slack.dev/reference/interaction-payloads/ (block_actions, view_submission, block_suggestion).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Final

from bot.inbound import Action
from bot.slack import CHANNEL
from cards.block_kit_inputs import field_of, read_state
from cards.block_kit_parts import read_value
from cards.payload import Payload
from reclaim.domain.ids import PersonId
from reclaim.errors import InvalidRequest

METADATA_VERSION: Final = 1
MAX_METADATA: Final = 3_000
_LINK_OR_BOX: Final = frozenset({"checkboxes", "radio_buttons", "plain_text_input", "datepicker", "external_select"})
_NO_BUTTON: Final = "We cannot read this button. Nothing was changed."

Body = Mapping[str, object]


class Surface(StrEnum):
    """Where somebody clicked."""

    MESSAGE = "message"
    EPHEMERAL = "ephemeral"  # seen by one person, and no method can update it: only its response_url
    HOME = "home"
    MODAL = "modal"
    NONE = "none"  # a command, or the place is unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something stands and can be answered.

    Attributes:
        channel, ts: Of the message; "" elsewhere.
        response_url: Takes five answers within thirty minutes; "" where Slack gave none.
        trigger: Opens one modal within three seconds; "" where Slack gave none.
        view: Id of the modal that was clicked in.
        origin: For a modal: what it was opened from, which takes the result.
    """

    surface: Surface
    channel: str = ""
    ts: str = ""
    response_url: str = ""
    trigger: str = ""
    view: str = ""
    origin: "Place | None" = None

    @property
    def is_shared(self) -> bool:
        """Whether others see it too: a message that stands in no private conversation with the bot."""
        return self.surface is Surface.MESSAGE and not self.channel.startswith("D")

    @property
    def message_id(self) -> str | None:
        """Our name of the message that was clicked, as the transport records it."""
        return f"{self.channel}/{self.ts}" if self.surface is Surface.MESSAGE else None


@dataclass(frozen=True, slots=True, kw_only=True)
class From:
    """Who clicked or typed, as Slack names them.

    Attributes:
        team: The workspace where it happened; "" for an org-wide app outside any.
        home: The member's own workspace, where Slack says it.
    """

    team: str
    enterprise: str | None
    user: str
    home: str | None


def who_of(body: Body) -> From:
    """Return who an interaction or a command is from.

    Raises:
        InvalidRequest: It names nobody.
    """
    user, team, enterprise = body.get("user"), body.get("team"), body.get("enterprise")
    if isinstance(user, Mapping):
        found = _text(user, "id")
        home = _text(user, "team_id") or None
        where = _text(team, "id") or home or ""
        org = _text(enterprise, "id") or None
    else:
        found, home = _text(body, "user_id"), None
        where, org = _text(body, "team_id"), _text(body, "enterprise_id") or None
    if not found:
        raise InvalidRequest("Nobody is named as the one who did this.")
    return From(team=where, enterprise=org, user=found, home=home)


def place_of(body: Body) -> Place:
    """Return where an interaction stands."""
    trigger, response_url = _text(body, "trigger_id"), _text(body, "response_url")
    view, container = body.get("view"), body.get("container")
    if isinstance(view, Mapping):
        if view.get("type") == "home":
            return Place(surface=Surface.HOME, trigger=trigger)
        return Place(surface=Surface.MODAL, trigger=trigger, view=_text(view, "id"), origin=read_metadata(view).origin)
    ephemeral = isinstance(container, Mapping) and container.get("is_ephemeral") is True
    channel = _text(container, "channel_id") or _text(body.get("channel"), "id")
    ts = _text(container, "message_ts") or _text(body.get("message"), "ts")
    if not channel and not response_url:
        return Place(surface=Surface.NONE, trigger=trigger)
    return Place(
        surface=Surface.EPHEMERAL if ephemeral or not ts else Surface.MESSAGE,
        channel=channel,
        ts=ts,
        response_url=response_url,
        trigger=trigger,
    )


def clicked(body: Body) -> Payload | None:
    """Return the button that was pressed; None for a box that was ticked or a link, which ask nothing of us.

    Raises:
        InvalidRequest: It is no button of ours.
        OldCard: The card was drawn by another version.
    """
    actions = body.get("actions")
    first = actions[0] if isinstance(actions, list) and actions else None
    if not isinstance(first, Mapping):
        raise InvalidRequest(_NO_BUTTON)
    if first.get("type") in _LINK_OR_BOX or (first.get("type") == "button" and "value" not in first):
        return None
    picked = first.get("selected_option")
    return read_value(picked.get("value") if isinstance(picked, Mapping) else first.get("value"))


def inputs_of(body: Body) -> dict[str, str]:
    """Return what boxes and fields hold, with the boxes that were left as they were drawn."""
    view, message = body.get("view"), body.get("message")
    source = view if isinstance(view, Mapping) else message if isinstance(message, Mapping) else {}
    state = source.get("state") if source is view else body.get("state")
    values = state.get("values") if isinstance(state, Mapping) else None
    blocks = source.get("blocks")
    return read_state(values if isinstance(values, Mapping) else {}, blocks if isinstance(blocks, list) else [])


def action(person: PersonId, payload: Payload, *, key: str, inputs: dict[str, str], place: Place) -> Action:
    """Return a click for the core."""
    return Action(
        person_id=person,
        channel=CHANNEL,
        verb=payload.verb,
        ref=payload.ref,
        batch=payload.batch,
        inputs=inputs,
        message_id=place.message_id,
        key=key,
    )


def key_of(body: Body) -> str:
    """Return what makes this interaction one: Slack gives each a trigger of its own, and a repeat has the same."""
    trigger = _text(body, "trigger_id")
    if trigger:
        return trigger[:120]
    view = body.get("view")
    known = [_text(view, "id"), _text(view, "hash"), view.get("state") if isinstance(view, Mapping) else None]
    return sha256(json.dumps(known, sort_keys=True, default=str).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What a modal carries: the button that submits it, and what it was opened from."""

    submit: str = ""
    origin: Place | None = None

    def written(self) -> str:
        """Return it as text for `private_metadata`."""
        known: dict[str, object] = {"v": METADATA_VERSION, "s": self.submit}
        if self.origin is not None:
            kept = self.origin
            known |= {"k": kept.surface.value, "c": kept.channel, "t": kept.ts, "u": kept.response_url}
        return json.dumps(known, separators=(",", ":"))


def read_metadata(view: object) -> Metadata:
    """Read what a modal of ours carried; one of another version has nothing."""
    text = _text(view, "private_metadata")
    try:
        known = json.loads(text) if 0 < len(text) <= MAX_METADATA else {}
    except ValueError:
        known = {}
    if not isinstance(known, dict) or known.get("v") != METADATA_VERSION:
        return Metadata()
    kind = known.get("k")
    if kind not in {each.value for each in Surface}:
        return Metadata(submit=_text(known, "s"))
    origin = Place(
        surface=Surface(kind), channel=_text(known, "c"), ts=_text(known, "t"), response_url=_text(known, "u")
    )
    return Metadata(submit=_text(known, "s"), origin=origin)


def errors_at(view: object, wrong: Mapping[str, str]) -> dict[str, str]:
    """Return block id → error, for the fields as they stand in the modal that was submitted."""
    blocks = view.get("blocks") if isinstance(view, Mapping) else None
    return {
        str(block["block_id"]): wrong[name]
        for block in (blocks if isinstance(blocks, list) else [])
        if isinstance(block, Mapping) and (name := field_of(block.get("block_id"))) in wrong and name is not None
    }


def first_field(view: object) -> str | None:
    """Return the id of the first block that takes an error."""
    blocks = view.get("blocks") if isinstance(view, Mapping) else None
    for block in blocks if isinstance(blocks, list) else []:
        if isinstance(block, Mapping) and block.get("type") == "input" and isinstance(block.get("block_id"), str):
            return str(block["block_id"])
    return None


def _text(value: object, name: str) -> str:
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, str) else ""
