"""Attestation events: what happened, in a form that can be proved later and forgotten in part.

An event's body is canonical ASCII JSON of ids, integers, enums and hashes: no names, mail, free text or floats. A personal
value (a name as shown, a note) lives beside it in an erasable row; the body carries its HMAC-SHA256 under a random salt, so
erasing value and salt leaves the body valid and tells nothing.
"""

import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from reclaim.domain.ids import EventId

BODY_VERSION = 1

Fact = str | int | bool | None
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
_PLAIN = re.compile(r"[A-Za-z0-9_:./=+#-]{0,128}")


class EventKind(StrEnum):
    """Everything that is attested."""

    SYNC_COMPLETED = "sync_completed"
    LAUNCH_ASKED = "launch_asked"
    LAUNCH_CONFIRMED = "launch_confirmed"
    LAUNCH_DECLINED = "launch_declined"
    LAUNCH_LAPSED = "launch_lapsed"
    CAMPAIGN_STARTED = "campaign_started"
    CAMPAIGN_OPENED = "campaign_opened"
    ITEM_ASSIGNED = "item_assigned"
    MESSAGE_SENT = "message_sent"
    DECISION_MADE = "decision_made"
    DECISION_WITHDRAWN = "decision_withdrawn"
    ITEM_DELEGATED = "item_delegated"
    ITEM_TAKEN_BACK = "item_taken_back"
    ITEM_GIVEN_BACK = "item_given_back"
    ITEM_REASSIGNED = "item_reassigned"
    REMINDER_SENT = "reminder_sent"
    RESULT_TOLD = "result_told"
    NUDGED = "nudged"
    CLOSE_MOVED = "close_moved"
    CAMPAIGN_EXTENDED = "campaign_extended"
    CAMPAIGN_CANCELLED = "campaign_cancelled"
    CAMPAIGN_CLOSING = "campaign_closing"
    REMOVAL_PLANNED = "removal_planned"
    REMOVAL_INTENDED = "removal_intended"
    REMOVAL_WRITTEN = "removal_written"
    REMOVAL_FAILED = "removal_failed"
    REMOVAL_VERIFIED = "removal_verified"
    RESTORE_ASKED = "restore_asked"
    RESTORE_INTENDED = "restore_intended"
    RESTORE_WRITTEN = "restore_written"
    RESTORE_FAILED = "restore_failed"
    RESTORE_VERIFIED = "restore_verified"
    REGRANT_FOUND = "regrant_found"
    ASKED_BACK = "asked_back"
    ASK_BACK_ANSWERED = "ask_back_answered"
    CONSENT_PROGRAM_SET = "consent_program_set"
    CONSENT_RUN_STARTED = "consent_run_started"
    CONSENT_RUN_ENDED = "consent_run_ended"
    CONSENT_FOUND = "consent_found"
    CONSENT_ASKED = "consent_asked"
    CONSENT_ANSWERED = "consent_answered"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    CONSENT_ENDED = "consent_ended"
    CHANGE_ASKED = "change_asked"
    CHANGE_INTENDED = "change_intended"
    CHANGE_WRITTEN = "change_written"
    CHANGE_FAILED = "change_failed"
    CHANGE_ENDED = "change_ended"
    WAIT_LISTED = "wait_listed"
    WAIT_ENDED = "wait_ended"
    APPEALED = "appealed"
    APPEAL_MOVED = "appeal_moved"
    APPEAL_ANSWERED = "appeal_answered"
    APPEAL_ENDED = "appeal_ended"
    SYNC_CONFIRMED = "sync_confirmed"
    ITEM_ENDED = "item_ended"
    TASK_DONE = "task_done"
    TASK_CHECKED = "task_checked"
    CAMPAIGN_PAUSED = "campaign_paused"
    CAMPAIGN_RESUMED = "campaign_resumed"
    CAMPAIGN_CLOSED = "campaign_closed"
    FROZEN = "frozen"
    RESUME_ASKED = "resume_asked"
    RESUMED = "resumed"
    EXPORTED = "exported"
    OWNER_NAMED = "owner_named"
    OWNER_REMOVED = "owner_removed"
    EXCLUDED = "excluded"
    EXCLUSION_ENDED = "exclusion_ended"
    ABSENCES_LOADED = "absences_loaded"
    ABSENCES_CLEARED = "absences_cleared"
    PRICES_LOADED = "prices_loaded"
    PRICE_SET = "price_set"
    SAVING_REALISED = "saving_realised"
    SAVING_TAKEN_BACK = "saving_taken_back"


@dataclass(frozen=True, slots=True)
class PersonalValue:
    """A value that can be erased: plain text with the salt of its HMAC."""

    field: str
    value: str
    salt: bytes


@dataclass(frozen=True, slots=True)
class Event:
    """One attestation event, ready to be stored: `body` is what will be proved, `values` what can be erased."""

    id: EventId
    kind: EventKind
    at: datetime
    campaign_id: str | None
    item_id: str | None
    body: bytes
    values: tuple[PersonalValue, ...] = ()


def commitment(value: str, salt: bytes) -> str:
    """Return the hex HMAC-SHA256 of a personal value."""
    return hmac.digest(salt, value.encode(), "sha256").hex()


def attest(
    kind: EventKind,
    *,
    event_id: EventId,
    at: datetime,
    actor: str | None,
    campaign_id: str | None = None,
    item_id: str | None = None,
    facts: Mapping[str, Fact] | None = None,
    personal: Mapping[str, str] | None = None,
    salts: Mapping[str, bytes] | None = None,
) -> Event:
    """Build an event.

    Args:
        actor: Entra object id, `operator:<os user>` or `system`.
        facts: Ids, integers, enum values and hashes only.
        personal: Names, addresses and free text; only their HMAC enters the body.
        salts: At least 16 random bytes for every key of `personal`.

    Raises:
        ValueError: A fact looks like free text, or a salt is missing or short. This is a programming error.
    """
    body: dict[str, object] = {
        "v": BODY_VERSION,
        "id": event_id,
        "kind": kind.value,
        "at_ms": int(at.timestamp() * 1000),
        "actor": _plain("actor", actor),
        "campaign": _plain("campaign", campaign_id),
        "item": _plain("item", item_id),
        "facts": {key: _plain(key, value) for key, value in (facts or {}).items()},
    }
    values: list[PersonalValue] = []
    hidden: dict[str, str] = {}
    for field, value in (personal or {}).items():
        salt = (salts or {}).get(field, b"")
        if len(salt) < 16:
            raise ValueError(f"no salt for {field}")
        values.append(PersonalValue(field, value, salt))
        hidden[field] = commitment(value, salt)
    body["hmac"] = hidden
    return Event(
        id=event_id,
        kind=kind,
        at=at,
        campaign_id=campaign_id,
        item_id=item_id,
        body=canonical(body),
        values=tuple(values),
    )


def canonical(body: Mapping[str, object]) -> bytes:
    """Return the one byte form of a body: sorted keys, no spaces, ASCII, no floats."""
    return _CANONICAL.encode(body).encode("ascii")


def _plain(key: str, value: Fact) -> Fact:
    if isinstance(value, float):
        raise TypeError(f"{key}: floats have no canonical form")
    if isinstance(value, str) and _PLAIN.fullmatch(value) is None:
        raise ValueError(f"{key}: only ids, enums and hashes may enter an event body")
    return value
