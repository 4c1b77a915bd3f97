"""GET /users/delta: what has changed about people since a link was handed out.

Sources: user-delta (options, `@removed`, `manager@delta`), concepts/delta-query-overview (links, `$deltatoken=latest`,
replays, 410 with Location).
"""

from dataclasses import replace
from itertools import islice
from typing import Any

from aiohttp import web

from rehearsal import errors, permissions, shapes
from rehearsal.changes import LinksForgottenError, Stretch
from rehearsal.directory import Directory
from rehearsal.gate import Gate
from rehearsal.odata import Addresses

DELTA = "/users/delta"
_SELECT, _DELTA_TOKEN, _SKIP_TOKEN = "$select", "$deltatoken", "$skiptoken"
_LATEST = "latest"


class DeltaEndpoints:
    """The handler of /users/delta. It has to come before that of /users/{user}."""

    def __init__(self, directory: Directory, gate: Gate, addresses: Addresses) -> None:
        self._directory = directory
        self._gate = gate
        self._addresses = addresses

    def routes(self) -> list[web.RouteDef]:
        """Return the addresses below the service root."""
        return [web.get(DELTA, self._delta)]

    async def _delta(self, request: web.Request) -> web.Response:
        self._gate.require(permissions.READ_USERS)
        options = {name.lower(): value for name, value in request.query.items()}
        for name in options:
            if name not in {_SELECT, _DELTA_TOKEN, _SKIP_TOKEN}:
                raise errors.GraphError(
                    400, "Request_UnsupportedQuery", f"The query option '{name}' is not supported with delta."
                )
        try:
            stretch = self._stretch(options)
        except LinksForgottenError:
            raise errors.resync_required(self._addresses.graph_url) from None
        return web.json_response(self._page(stretch))

    def _stretch(self, options: dict[str, str]) -> Stretch:
        log, now = self._directory.changes, self._directory.clock.now
        if _SKIP_TOKEN in options:
            return log.read(options[_SKIP_TOKEN], now)
        token = options.get(_DELTA_TOKEN, "")
        if token and token != _LATEST:
            return log.since(log.read(token, now), now)
        select = options.get(_SELECT, "")
        shapes.check_selectable("user", [name for name in _names(select) if name != shapes.MANAGER])
        if shapes.SIGN_IN_ACTIVITY in _names(select):
            raise errors.bad_request("signInActivity is not supported with delta.")
        return log.here(now, select, whole=token != _LATEST)

    def _page(self, stretch: Stretch) -> dict[str, Any]:
        log = self._directory.changes
        if stretch.whole:
            rows = list(islice(self._directory.numbers(stretch.passed - 1), log.page_size + 1))
            page, more = rows[: log.page_size], len(rows) > log.page_size
            passed = page[-1] + 1 if page else stretch.passed
        else:
            rows = log.rows(stretch)
            passed = stretch.passed + log.page_size
            page, more = rows[stretch.passed : passed], len(rows) > passed
        body: dict[str, Any] = {"@odata.context": self._addresses.context("users")}
        if more:
            body["@odata.nextLink"] = self._link(_SKIP_TOKEN, replace(stretch, passed=passed))
        else:
            body["@odata.deltaLink"] = self._link(_DELTA_TOKEN, replace(stretch, whole=False, passed=0))
        return body | {"value": [self._row(number, _names(stretch.select)) for number in page]}

    def _link(self, option: str, stretch: Stretch) -> str:
        return f"{self._addresses.graph_url}{DELTA}?{option}={self._directory.changes.write(stretch)}"

    def _row(self, number: int, names: list[str]) -> dict[str, Any]:
        directory = self._directory
        if not directory.is_present(number):
            reason = "deleted" if directory.is_purged(number) else "changed"
            return {"id": directory.person(number).id, "@removed": {"reason": reason}}
        person = directory.person(number)
        properties = [name for name in names if name != shapes.MANAGER]
        row: dict[str, Any] = {"id": person.id} | shapes.user(directory, person, properties if names else None)
        manager = person.manager
        if shapes.MANAGER in names and manager is not None and directory.is_present(manager):
            boss = {"@odata.type": "#microsoft.graph.user", "id": directory.person(manager).id}
            row[f"{shapes.MANAGER}@delta"] = [boss]
        return row


def _names(select: str) -> list[str]:
    return list(dict.fromkeys(name.strip() for name in select.split(",") if name.strip()))
