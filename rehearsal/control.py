"""The strings behind the stage: steering the practice tenant and reading the truth about it, below /control.

No part of Microsoft Graph looks like this. Every request needs the header X-Control-Key. Faulty requests answer 400
with {"error": "..."}. Lists come in pieces, so that a large tenant goes on answering Graph while it tells them; what
changes meanwhile is in the pieces that follow.
"""

import asyncio
import hmac
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from aiohttp import web

from rehearsal.app_groups import APP_GROUPS, usage_csv
from rehearsal.applications import MAIN, Application
from rehearsal.calls import CallLog
from rehearsal.cases import SeatPlan
from rehearsal.cast import CAST, STAGE_GROUPS
from rehearsal.catalog import COPILOT, SKUS_BY_ID, VISIO, Sku, by_id
from rehearsal.clock import DAY, MINUTE, seconds, text
from rehearsal.directory import Directory, Write, WriteKind
from rehearsal.errors import GraphError
from rehearsal.faults import Fault, Faults
from rehearsal.gate import Gate, Handler
from rehearsal.groups import ADMINS, AUDITORS, COPILOT_OWNERS, LICENSE_MANAGERS, VISIO_OWNERS
from rehearsal.intune import IntuneEndpoints
from rehearsal.login import TokenDesk
from rehearsal.nexthink import NexthinkEndpoints
from rehearsal.prices import prices_csv
from rehearsal.throttle import Counted
from rehearsal.traps import NUMBERS, reports_of
from rehearsal.usage import UsageEndpoints

_T = TypeVar("_T")
KEY_HEADER = "X-Control-Key"
LONGEST_WAIT_S = 30.0
_RENEWAL = 120 * DAY
_FALLBACK_REVIEWER = "Lynne Robbins"
_ROWS_AT_ONCE = 100


class ControlEndpoints:
    """The handlers below /control."""

    def __init__(
        self,
        directory: Directory,
        *,
        gate: Gate,
        applications: Sequence[Application],
        tokens: TokenDesk,
        faults: Faults,
        calls: CallLog,
        usage: UsageEndpoints,
        intune: IntuneEndpoints,
        nexthink: NexthinkEndpoints,
        key: str,
    ) -> None:
        self._directory = directory
        self._applications = {one.name: one for one in applications}
        self._gate = gate
        self._tokens = tokens
        self._faults = faults
        self._calls = calls
        self._usage = usage
        self._intune = intune
        self._nexthink = nexthink
        self._key = key
        self._start = directory.clock.now
        self._renews_at = self._start + _RENEWAL

    def routes(self) -> list[web.RouteDef]:
        """Return the addresses below /control."""
        return [
            web.get("/clock", self._get_clock),
            web.post("/clock", self._move_clock),
            web.get("/calls", self._get_calls),
            web.get("/cases", self._get_cases),
            web.get("/seats", self._get_seats),
            web.get("/writes", self._get_writes),
            web.get("/personas", self._get_personas),
            web.get("/setup", self._get_setup),
            web.get("/faults", self._get_faults),
            web.post("/faults", self._arm_fault),
            web.delete("/faults", self._clear_faults),
            web.post("/permissions", self._grant),
            web.post("/certificates", self._upload),
            web.get("/throttle", self._get_throttle),
            web.post("/throttle", self._set_throttle),
            web.post("/premium", self._set_premium),
            web.post("/usage-reports", self._set_usage_reports),
            web.post("/group-delay", self._set_group_delay),
            web.post("/delta", self._set_delta),
            web.post("/tokens/expire", self._expire_tokens),
            web.post("/nexthink", self._set_nexthink),
            web.get("/intune", self._get_intune),
            web.post("/intune", self._set_intune),
            web.post("/people/{person}/sign-in", self._sign_in),
            web.post("/people/{person}/use", self._use),
            web.post("/people/{person}/assign", self._assign),
            web.post("/people/{person}/unassign", self._unassign),
            web.post("/people/{person}/leave", self._leave),
            web.post("/people/{person}/restore", self._restore),
            web.post("/people/{person}/manager", self._set_manager),
            web.post("/people/{person}/disable", self._disable),
            web.post("/people/{person}/enable", self._enable),
            web.post("/groups/{group}/delete", self._delete_group),
        ]

    async def answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer a control request, if the caller knows the key."""
        if not hmac.compare_digest(request.headers.get(KEY_HEADER, "").encode(), self._key.encode()):
            return web.json_response({"error": f"the header {KEY_HEADER} is missing or wrong"}, status=403)
        try:
            return await handler(request)
        except GraphError as error:
            return web.json_response({"error": error.message}, status=error.status)
        except ValueError as error:
            return web.json_response({"error": str(error)}, status=400)

    async def _get_clock(self, _: web.Request) -> web.Response:
        return web.json_response({"now": text(self._directory.clock.now)})

    async def _move_clock(self, request: web.Request) -> web.Response:
        self._directory.clock.move_to(datetime.fromisoformat(_field(await _body(request), "now", str)))
        self._directory.settle()
        return await self._get_clock(request)

    async def _get_calls(self, request: web.Request) -> web.Response:
        seq = int(request.query.get("after", "0"))
        wait_s = min(float(request.query.get("wait", "0")), LONGEST_WAIT_S)
        return web.json_response([asdict(call) for call in await self._calls.after(seq, wait_s)])

    async def _get_cases(self, request: web.Request) -> web.StreamResponse:
        return await _tell(request, self._cases())

    async def _get_seats(self, request: web.Request) -> web.StreamResponse:
        return await _tell(request, self._seats())

    async def _get_writes(self, request: web.Request) -> web.StreamResponse:
        return await _tell(request, (_write(write) for write in tuple(self._directory.writes)))

    async def _get_personas(self, _: web.Request) -> web.Response:
        return web.json_response(list(self._personas()))

    async def _get_setup(self, _: web.Request) -> web.Response:
        there = set(self._directory.numbers())
        cast = {name: self._directory.person(number) for name, number in NUMBERS.items() if number in there}
        owners = {VISIO: VISIO_OWNERS, COPILOT: COPILOT_OWNERS}
        role_groups = {"admins": ADMINS, "license_managers": LICENSE_MANAGERS, "auditors": AUDITORS}
        return web.json_response(
            {
                "role_groups": {role: self._directory.group_by_key(key).id for role, key in role_groups.items()},
                "license_owners": {sku.sku_id: self._directory.group_by_key(key).id for sku, key in owners.items()},
                "fallback_reviewer": self._directory.person(NUMBERS[_FALLBACK_REVIEWER]).id,
                "prices_csv": prices_csv(self._renews_at),
                "usage_csv": usage_csv(self._start, {name: person.upn for name, person in cast.items()}),
                "applications": [
                    {
                        "application": app.application,
                        "group": app.group,
                        "group_id": self._directory.group_by_key(app.key).id,
                        "people": [
                            {"person_id": cast[one.name].id, "name": one.name, "use": one.use.value}
                            for one in app.members
                            if one.name in cast
                        ],
                    }
                    for app in APP_GROUPS
                ],
            }
        )

    async def _arm_fault(self, request: web.Request) -> web.Response:
        self._faults.arm(Fault.parse(await _body(request)))
        return web.json_response({}, status=201)

    async def _get_faults(self, _: web.Request) -> web.Response:
        return web.json_response(self._faults.told())

    async def _clear_faults(self, _: web.Request) -> web.Response:
        self._faults.clear()
        return web.json_response({})

    async def _grant(self, request: web.Request) -> web.Response:
        body = await _body(request)
        application = self._application(body)
        application.granted = frozenset(str(name) for name in _field(body, "granted", list))
        return web.json_response({"granted": sorted(application.granted)})

    async def _upload(self, request: web.Request) -> web.Response:
        body = await _body(request)
        application = self._application(body)
        application.upload(_field(body, "pem", str))
        return web.json_response({"thumbprints": sorted(application.keys)}, status=201)

    def _application(self, body: dict[str, Any]) -> Application:
        """Return the application that a request speaks of: the main one unless it names another."""
        name = body.get("application", MAIN)
        if name not in self._applications:
            message = f"'application' is one of {', '.join(self._applications)}"
            raise ValueError(message)
        return self._applications[name]

    async def _get_throttle(self, _: web.Request) -> web.Response:
        return web.json_response(self._gate.throttle.told())

    async def _set_throttle(self, request: web.Request) -> web.Response:
        body = await _body(request)
        calls = None if body.get("calls") is None else _field(body, "calls", int)
        window_s = float(body.get("window_s", 150))
        self._gate.throttle.set(Counted(_field(body, "counted", str)), calls, window_s)
        return await self._get_throttle(request)

    async def _set_premium(self, request: web.Request) -> web.Response:
        self._gate.premium = _field(await _body(request), "premium", bool)
        return web.json_response({"premium": self._gate.premium})

    async def _set_usage_reports(self, request: web.Request) -> web.Response:
        body = await _body(request)
        if "concealed" in body:
            self._usage.concealed = _field(body, "concealed", bool)
        if "days_behind" in body:
            self._usage.days_behind = _field(body, "days_behind", int)
        if "renamed" in body:
            renamed = _field(body, "renamed", dict)
            self._usage.renamed = {str(column): str(name) for column, name in renamed.items()}
        return web.json_response({"concealed": self._usage.concealed, "days_behind": self._usage.days_behind})

    async def _set_group_delay(self, request: web.Request) -> web.Response:
        minutes = _field(await _body(request), "minutes", int)
        if minutes < 0:
            message = "'minutes' is 0 or more"
            raise ValueError(message)
        self._directory.group_delay = minutes * MINUTE
        return web.json_response({"minutes": minutes})

    async def _set_delta(self, request: web.Request) -> web.Response:
        """Say how /users/delta answers: rows per page, whether changes come again; or let it forget its links."""
        body, log = await _body(request), self._directory.changes
        if "page_size" in body:
            log.page_size = max(1, _field(body, "page_size", int))
        if "replays" in body:
            log.replays = _field(body, "replays", bool)
        if body.get("forget_links"):
            log.forget_tokens()
        return web.json_response({"page_size": log.page_size, "replays": log.replays})

    async def _expire_tokens(self, _: web.Request) -> web.Response:
        self._tokens.expire_all()
        self._nexthink.expire_tokens()
        return web.json_response({})

    async def _set_nexthink(self, request: web.Request) -> web.Response:
        return web.json_response(self._nexthink.set_manners(await _body(request)))

    async def _get_intune(self, _: web.Request) -> web.Response:
        return web.json_response(self._intune.told())

    async def _set_intune(self, request: web.Request) -> web.Response:
        return web.json_response(self._intune.set(await _body(request)))

    async def _sign_in(self, request: web.Request) -> web.Response:
        self._directory.sign_in(self._number(request))
        return web.json_response({})

    async def _use(self, request: web.Request) -> web.Response:
        body = await _body(request)
        at = None if body.get("at") is None else seconds(datetime.fromisoformat(_field(body, "at", str)))
        self._usage.use(self._number(request), _field(body, "service", str), at)
        return web.json_response({})

    async def _assign(self, request: web.Request) -> web.Response:
        self._directory.assign_direct(self._number(request), await _sku(request))
        return web.json_response({})

    async def _unassign(self, request: web.Request) -> web.Response:
        self._directory.unassign_direct(self._number(request), await _sku(request))
        return web.json_response({})

    async def _leave(self, request: web.Request) -> web.Response:
        number = self._number(request)
        purged = request.can_read_body and _field(await _body(request), "purged", bool)
        self._directory.leave(number, purged=purged)
        return web.json_response({})

    async def _restore(self, request: web.Request) -> web.Response:
        self._directory.restore(request.match_info["person"])
        return web.json_response({})

    async def _set_manager(self, request: web.Request) -> web.Response:
        number, manager = self._number(request), (await _body(request)).get("manager")
        self._directory.set_manager(number, None if manager is None else self._directory.find(str(manager)).number)
        return web.json_response({})

    async def _disable(self, request: web.Request) -> web.Response:
        self._directory.disable(self._number(request))
        return web.json_response({})

    async def _enable(self, request: web.Request) -> web.Response:
        self._directory.enable(self._number(request))
        return web.json_response({})

    async def _delete_group(self, request: web.Request) -> web.Response:
        self._directory.delete_group(self._directory.group(request.match_info["group"]))
        return web.json_response({})

    def _number(self, request: web.Request) -> int:
        return self._directory.find(request.match_info["person"]).number

    def _cases(self) -> Iterator[dict[str, Any]]:
        """Return everybody with the outcomes that would be right, as the generator meant them."""
        people = self._directory.people
        for number in range(people.count):
            case, recipe = people.case_of(number)
            person = people.baseline(number)
            coming = self._directory.happening_of(number)
            yield {
                "person_id": person.id,
                "case": case,
                "name": person.name,
                "upn": person.upn,
                "happens": None if coming is None else {"what": coming[0].what, "at": text(coming[1])},
                "seats": [_label(plan) for plan in recipe],
            }

    def _seats(self) -> Iterator[dict[str, Any]]:
        """Return who holds what now; a path is "direct" or the id of a group."""
        for number in self._directory.numbers():
            person = self._directory.person(number)
            for sku in by_id(person.held_skus()):
                paths = [
                    "direct" if license_.group is None else self._directory.group_by_key(license_.group).id
                    for license_ in person.licenses
                    if license_.sku == sku and license_.counts
                ]
                yield {"person_id": person.id, "sku_id": sku.sku_id, "paths": paths}

    def _personas(self) -> Iterator[dict[str, Any]]:
        for number, player in enumerate(CAST):
            if player.role is not None:
                yield {
                    "id": self._directory.people.identities.person(number),
                    "name": player.name,
                    "role": player.role,
                    "group": STAGE_GROUPS[player.role],
                    "department": player.department,
                    "reports": reports_of(player.name, self._directory.people.count),
                }


def _label(plan: SeatPlan) -> dict[str, Any]:
    """Return what the generator meant with a seat; `after` stands once the happening of its case is over."""
    after = plan.after
    return {
        "sku_id": plan.sku.sku_id,
        "sku_part_number": plan.sku.part_number,
        "path": _path_word(plan),
        "allowed": list(plan.allowed),
        "idle": plan.idle,
        "counts": plan.counts,
        "after": None if after is None else {"allowed": list(after.allowed), "idle": after.idle, "stays": after.stays},
    }


def _path_word(plan: SeatPlan) -> str:
    """Return "direct", "group", "groups" or "direct_and_group"."""
    if None not in plan.paths:
        return "group" if len(plan.paths) == 1 else "groups"
    return "direct" if len(plan.paths) == 1 else "direct_and_group"


async def _tell(request: web.Request, rows: Iterable[dict[str, Any]]) -> web.StreamResponse:
    """Answer with a list as JSON, a piece at a time."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    left = iter(rows)
    opening = "["
    while piece := list(islice(left, _ROWS_AT_ONCE)):
        await response.write((opening + ",".join(map(json.dumps, piece))).encode())
        opening = ","
        await asyncio.sleep(0)
    await response.write(b"[]" if opening == "[" else b"]")
    await response.write_eof()
    return response


async def _sku(request: web.Request) -> Sku:
    sku_id = _field(await _body(request), "sku_id", str)
    if sku_id not in SKUS_BY_ID:
        message = f"no product has the id {sku_id!r}"
        raise ValueError(message)
    return SKUS_BY_ID[sku_id]


def _write(write: Write) -> dict[str, Any]:
    target = "sku_id" if write.kind in {WriteKind.LICENSE_ADDED, WriteKind.LICENSE_REMOVED} else "group_id"
    return {
        "seq": write.seq,
        "kind": write.kind,
        "person_id": write.person_id,
        target: write.target_id,
        "client_request_id": write.client_request_id,
    }


async def _body(request: web.Request) -> dict[str, Any]:
    body = json.loads(await request.text())
    if not isinstance(body, dict):
        message = "the body is a JSON object"
        raise ValueError(message)
    return body


def _field(body: dict[str, Any], name: str, kind: type[_T]) -> _T:
    value = body.get(name)
    if not isinstance(value, kind):
        message = f"{name!r} is a {kind.__name__}"
        raise ValueError(message)
    return value
