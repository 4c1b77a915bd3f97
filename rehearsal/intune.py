"""Intune of the practice tenant: managed devices, and the applications that it detects on them.

Sources: Microsoft Graph docs, intune-devices-detectedapp-list (one row a version, `deviceCount`), the relation
detectedApp/managedDevices, intune-devices-manageddevice-list; msgraph-beta-sdk-go issue 198 (a tenant without Intune);
microsoft-graph-docs-contrib issue 1680 (devices that are counted and not listed). Who has which device follows from the seed,
until control says otherwise.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from aiohttp import web

from rehearsal import errors, permissions
from rehearsal.clock import DAY, seconds, text
from rehearsal.directory import Directory
from rehearsal.gate import Gate
from rehearsal.identity import Draws
from rehearsal.odata import Addresses, Query

PAGE = 100
LARGEST_PAGE = 1_000
APPLICATIONS = {"Miro": ("0.8.1", "0.9.2"), "Figma": ("124.1",), "Adobe Acrobat (64-bit)": ("24.2", "24.3", "25.0")}
_PUBLISHERS = {"Miro": "RealtimeBoard Inc.", "Figma": "Figma, Inc."}
_NEVER = "0001-01-01T00:00:00Z"
_NO_DEVICE = 10  # one of so many has none
_SECOND_DEVICE = 4  # one of so many has two
_INSTALLED = 2  # one of so many devices has an application


@dataclass(frozen=True, slots=True)
class Device:
    """One managed device; times are seconds of tenant time or None for never, `apps` pairs of name and version."""

    id: str
    name: str
    user: int | None
    owner: str
    agent: str
    system: str
    enrolled_at: int | None
    synced_at: int | None
    apps: tuple[tuple[str, str], ...]


class IntuneEndpoints:
    """The handlers under /deviceManagement.

    Attributes:
        licensed: The tenant has Intune.
        lists_devices: The devices of an application are listed, as they should be.
    """

    def __init__(self, directory: Directory, gate: Gate, addresses: Addresses, seed: int) -> None:
        self._directory = directory
        self._gate = gate
        self._addresses = addresses
        self._seed = seed
        self._said: list[Device] | None = None
        self.licensed = True
        self.lists_devices = True

    def routes(self) -> list[web.RouteDef]:
        """Return the addresses below the service root."""
        root = "/deviceManagement"
        return [
            web.get(f"{root}/detectedApps", self._list_apps),
            web.get(f"{root}/detectedApps/{{app}}/managedDevices", self._list_found),
            web.get(f"{root}/managedDevices", self._list_devices),
        ]

    def set(self, body: dict[str, Any]) -> dict[str, Any]:
        """Change what is told; what is left out stays.

        Raises:
            ValueError: A device is not described as `Device` is.
            GraphError: A user is nobody.
        """
        self.licensed = bool(body.get("licensed", self.licensed))
        self.lists_devices = bool(body.get("lists_devices", self.lists_devices))
        if "devices" in body:
            self._said = [self._described(number, one) for number, one in enumerate(body["devices"])]
        return {"licensed": self.licensed, "lists_devices": self.lists_devices, "devices": len(list(self._devices()))}

    def told(self) -> list[dict[str, Any]]:
        """Return every device with its user and its applications."""
        return [
            {
                "id": one.id,
                "name": one.name,
                "person_id": None if one.user is None else self._directory.person(one.user).id,
                "apps": [list(app) for app in one.apps],
            }
            for one in self._devices()
        ]

    async def _list_apps(self, request: web.Request) -> web.Response:
        query = self._asked(request)
        found: dict[tuple[str, str], int] = {}
        for device in self._devices():
            for app in device.apps:
                found[app] = found.get(app, 0) + 1
        rows = (
            {
                "id": _app_id(name, version),
                "displayName": name,
                "version": version,
                "sizeInByte": 0,
                "deviceCount": count,
                "publisher": _PUBLISHERS.get(name, ""),
                "platform": "windows",
            }
            for (name, version), count in sorted(found.items())
        )
        return self._page(request, query, "deviceManagement/detectedApps", rows)

    async def _list_found(self, request: web.Request) -> web.Response:
        query = self._asked(request)
        wanted = request.match_info["app"]
        known = {_app_id(*app) for device in self._devices() for app in device.apps}
        if wanted not in known:
            raise errors.not_found(wanted)
        having = (one for one in self._devices() if any(_app_id(*app) == wanted for app in one.apps))
        rows = (self._row(one) for one in having if self.lists_devices)
        return self._page(request, query, f"deviceManagement/detectedApps('{wanted}')/managedDevices", rows)

    async def _list_devices(self, request: web.Request) -> web.Response:
        query = self._asked(request)
        return self._page(request, query, "deviceManagement/managedDevices", map(self._row, self._devices()))

    def _asked(self, request: web.Request) -> Query:
        self._gate.require(permissions.READ_DEVICES)
        if not self.licensed:
            raise errors.no_intune()
        return self._addresses.parse(request, {"$select", "$top"})

    def _page(self, request: web.Request, query: Query, context: str, rows: Iterable[dict[str, Any]]) -> web.Response:
        after = -1 if query.after is None else query.after
        keyed = ((key, _chosen(row, query.select)) for key, row in enumerate(rows) if key > after)
        return web.json_response(self._addresses.page(request, context, keyed, min(query.top or PAGE, LARGEST_PAGE)))

    def _devices(self) -> Iterator[Device]:
        """Give the devices that control described, or else those that follow from the seed."""
        if self._said is not None:
            yield from self._said
            return
        for number in self._directory.numbers():
            draws = Draws(self._seed, f"intune/{number}")
            if draws.take(_NO_DEVICE) == 0:
                continue
            for place in range(2 if draws.take(_SECOND_DEVICE) == 0 else 1):
                yield self._drawn(number, place, draws)

    def _drawn(self, number: int, place: int, draws: Draws) -> Device:
        name = f"PC-{number:05d}-{place + 1}"
        start = self._directory.people.start
        apps = [
            (app, versions[draws.take(len(versions))])
            for app, versions in APPLICATIONS.items()
            if draws.take(_INSTALLED) == 0
        ]
        return Device(
            id=self._directory.people.identities.named(f"device/{name}"),
            name=name,
            user=None if draws.take(25) == 0 else number,
            owner="personal" if draws.take(12) == 0 else "company",
            agent="mdm",
            system="Windows",
            enrolled_at=start - draws.between(30, 900) * DAY,
            synced_at=start - draws.between(0, 3) * DAY,
            apps=tuple(apps),
        )

    def _described(self, number: int, body: dict[str, Any]) -> Device:
        name = str(body.get("name", f"D-{number}"))
        user = body.get("user")
        return Device(
            id=self._directory.people.identities.named(f"device/{number}/{name}"),
            name=name,
            user=None if user is None else self._directory.find(str(user)).number,
            owner=str(body.get("owner", "company")),
            agent=str(body.get("agent", "mdm")),
            system=str(body.get("system", "Windows")),
            enrolled_at=_seconds(body.get("enrolled_at")),
            synced_at=_seconds(body.get("synced_at")),
            apps=tuple((str(app), str(version)) for app, version in body.get("apps", [])),
        )

    def _row(self, device: Device) -> dict[str, Any]:
        person = None if device.user is None else self._directory.person(device.user)
        return {
            "id": device.id,
            "userId": "" if person is None else person.id,
            "userPrincipalName": "" if person is None else person.upn,
            "deviceName": device.name,
            "managedDeviceOwnerType": device.owner,
            "managementAgent": device.agent,
            "operatingSystem": device.system,
            "enrolledDateTime": _NEVER if device.enrolled_at is None else text(device.enrolled_at),
            "lastSyncDateTime": _NEVER if device.synced_at is None else text(device.synced_at),
        }


def _seconds(said: object) -> int | None:
    return None if said is None else seconds(datetime.fromisoformat(str(said)))


def _app_id(name: str, version: str) -> str:
    return sha256(f"{name}/{version}".encode()).hexdigest()


def _chosen(row: dict[str, Any], select: tuple[str, ...] | None) -> dict[str, Any]:
    """Return the properties that were asked for.

    Raises:
        GraphError: There is no such property.
    """
    if select is None:
        return row
    for name in select:
        if name not in row:
            raise errors.bad_request(f"Could not find a property named '{name}'.")
    return {name: row[name] for name in select}
