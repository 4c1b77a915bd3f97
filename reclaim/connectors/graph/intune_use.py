"""Intune's detected applications as a usage source: evidence of not installed, and of nothing else.

What follows from what:

* An application that is found on a device of somebody tells nothing of its use: that person is unknown.
* It is absent where it is on no device of a person, and each of their devices would show it. One that would not makes the
  person unknown: a personal one (Intune lists only managed applications there), one that syncs no more, one that was
  enrolled so lately that its list may not be there yet, and kinds of which Intune lists nothing or only a part.
* A person without such a device has no row: unknown. A device without a user is nobody's, and is counted as that.
* The list of a device is up to a week older than its last sync, so an absence is dated a week before it.
* Nobody tells since when it is absent. It may have been used until the device's last sync, as far as one reading tells; later
  readings keep the instant of the first one of an unbroken row (`services.import_usage`). So a program's window counts from
  the first absence that Reclaim saw itself.
* Absence is not disuse: most applications can be used in a browser, and people use devices that are not theirs. So this
  source is for programs that ask (`domain.consent_program.ABSENCE_SOURCES`), and for no other.

Which names are meant is said, never guessed: a name is compared whole and without case; one that ends in * means all that
begin so; several stand with | between them. All are compared here, as Microsoft does not document how a filter on the server
compares: a version that it missed would make its users look as if they had nothing installed. For the same reason a name that
Intune does not know, one that it finds on no device any more, and a list of devices that is empty against its own count (seen
in microsoft-graph-docs-contrib issue 1680) are errors.

Sources: Microsoft Graph docs, resources/intune-devices-detectedapp (one row a version; unmanaged applications on corporate
devices only) and resources/intune-devices-manageddevice; Intune docs, app-discovered-apps (what is listed by platform, every
7 days from enrollment, Win32 applications every 24 hours, none without Intune's management extension, and none of hybrid
joined devices whose applications Configuration Manager keeps).
"""

from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http import HTTPStatus
from itertools import islice
from typing import Final
from urllib.parse import quote

import structlog

from reclaim.connectors.graph.answers import Answer
from reclaim.connectors.graph.client import GraphClient
from reclaim.connectors.graph.fields import Record
from reclaim.connectors.usage_cells import NOBODY
from reclaim.domain.lookup import folded, shown
from reclaim.domain.usage import Tells, UsageRow, unknown_use
from reclaim.errors import DirectoryError, InvalidRequest
from reclaim.ports.checks import Permission
from reclaim.ports.usage import BATCH, UsageBatch

INVENTORY_EVERY: Final = timedelta(days=7)
ROWS_PER_PAGE: Final = 500
_SIMILAR: Final = 5  # names that are shown where the one that was asked for is not there
_APPS: Final = f"/deviceManagement/detectedApps?$select=id,displayName,deviceCount&$top={ROWS_PER_PAGE}"
_OWNER: Final = "id,userId,userPrincipalName"
_DEVICES: Final = (
    f"/deviceManagement/managedDevices?$select={_OWNER},deviceName,managedDeviceOwnerType,managementAgent,operatingSystem,"
    f"enrolledDateTime,lastSyncDateTime&$top={ROWS_PER_PAGE}"
)
# Of Android, Linux and Chrome OS a part or nothing is listed; of what Configuration Manager keeps, maybe nothing.
_LISTED_SYSTEMS: Final = frozenset({"windows", "macos", "ios", "ipados"})
_LISTED_AGENTS: Final = frozenset({"mdm", "easmdm"})

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Device:
    """One managed device; `owners` are the object id and the user principal name of its user, as far as Intune has them."""

    id: str
    owners: Sequence[str]
    name: str
    shows_all: bool
    synced_at: datetime | None
    enrolled_at: datetime | None

    @property
    def would_show(self) -> bool:
        """Whether an application that is installed would be on its list as of a week before the last sync."""
        return (
            self.shows_all
            and self.synced_at is not None
            and self.enrolled_at is not None
            and self.enrolled_at <= self.synced_at - INVENTORY_EVERY
        )


class IntuneUse:
    """Implements `ports.usage.UsageSource` and `ports.checks.SourceCheck`; asks as the application that reads."""

    def __init__(self, client: GraphClient) -> None:
        self._client = client

    async def check(self) -> None:
        """Read one device, which shows the permission and whether there is an Intune."""
        await self._get("/deviceManagement/managedDevices?$select=id&$top=1")

    async def read(self, application: str) -> AsyncIterator[UsageBatch]:
        """Yield a row for each device of everybody who has one.

        Raises:
            InvalidRequest: The name means nothing, or everything.
            DirectoryError: Intune cannot be read, does not know the application, or contradicts itself.
        """
        found, owners = await self._found_on(application)
        devices = [_device(row) async for row in self._all(_DEVICES, "managed device")]
        rows = iter(_rows(application, devices, found, owners))
        while some := list(islice(rows, BATCH)):
            yield UsageBatch(rows=some)

    async def _versions(self, application: str) -> Mapping[str, int]:
        """Return the ids of all versions of an application, with on how many devices each is."""
        names = _names(application)
        counts: dict[str, int] = {}
        matched: set[str] = set()
        similar: dict[str, None] = {}
        async for row in self._all(_APPS, "detected application"):
            there = folded(row.text_or_none("displayName") or "")
            fitting = [name for name in names if _fits(name, there)]
            if fitting:
                counts[row.text("id")] = row.number("deviceCount")
                matched.update(fitting)
            elif len(similar) < _SIMILAR and any(name.rstrip("*") in there for name in names):
                similar[row.text("displayName")] = None
        for name, written in names.items():
            if name not in matched:
                raise _unknown_name(written, similar)
        return counts

    async def _found_on(self, application: str) -> tuple[Collection[str], Collection[str]]:
        """Return the devices that have it, and whose they are, over all versions."""
        devices: set[str] = set()
        owners: set[str] = set()
        for version, count in (await self._versions(application)).items():
            place = f"/deviceManagement/detectedApps/{quote(version, safe='')}/managedDevices"
            listed = 0
            async for row in self._all(f"{place}?$select={_OWNER}&$top={ROWS_PER_PAGE}", "managed device"):
                listed += 1
                devices.add(row.text("id").lower())
                owners.update(_owners(row))
            if count and not listed:
                raise DirectoryError(
                    f"Intune counts {count:,} devices with {shown(application)} and lists none. Nothing was concluded from"
                    " that."
                )
            if listed < count:
                _log.warning("intune lists fewer devices than it counts", counted=count, listed=listed)
        if not devices:
            raise DirectoryError(
                f"Intune finds {shown(application)} on no device any more. If it has another name there by now, name that in"
                " source_application.",
                permanent=True,
            )
        return devices, owners

    async def _all(self, address: str, what: str) -> AsyncIterator[Record]:
        following: str | None = address
        while following is not None:
            rows, following = self._client.rows(await self._get(following), what)
            for row in rows:
                yield row

    async def _get(self, address: str) -> Answer:
        try:
            return await self._client.get(address, needs=Permission.READ_DEVICES)
        except DirectoryError as error:
            if error.status != HTTPStatus.BAD_REQUEST:
                raise
            # "Request not applicable to target tenant." (msgraph-beta-sdk-go issue 198)
            raise DirectoryError(
                "Microsoft Graph does not read Intune here (400). Most likely the tenant has no active Intune license: then"
                " choose another usage source.",
                permanent=True,
                status=error.status,
                graph_code=error.graph_code,
            ) from error


def _names(application: str) -> Mapping[str, str]:
    """Return the names that are meant as they are compared, each with how it was written.

    Raises:
        InvalidRequest: There is none, or one means everything.
    """
    names = {folded(part): part.strip() for part in application.split("|")}
    if not all(name.rstrip("*").strip() for name in names):
        raise InvalidRequest(
            "Name the application as Intune has it, as “Miro” or “Miro*”, and several as “Miro | Miro Desktop*”.",
            field="source_application",
        )
    return names


def _fits(name: str, there: str) -> bool:
    return there.startswith(name[:-1]) if name.endswith("*") else there == name


def _unknown_name(name: str, similar: Iterable[str]) -> DirectoryError:
    others = ", ".join(shown(one) for one in similar)
    return DirectoryError(
        f"Intune has never detected {shown(name)}: check the name in source_application."
        f"{f' It knows: {others}.' if others else ''}",
        permanent=True,
    )


def _owners(row: Record) -> Sequence[str]:
    said = (row.text_or_none("userId"), row.text_or_none("userPrincipalName"))
    return [text.strip().lower() for text in said if text is not None and text.strip()]


def _device(row: Record) -> _Device:
    device_id = row.text("id").lower()
    said = {
        name: (row.text_or_none(name) or "").lower()
        for name in ("managedDeviceOwnerType", "managementAgent", "operatingSystem")
    }
    return _Device(
        id=device_id,
        owners=_owners(row),
        name=row.text_or_none("deviceName") or device_id,
        shows_all=said["managedDeviceOwnerType"] == "company"
        and said["managementAgent"] in _LISTED_AGENTS
        and said["operatingSystem"] in _LISTED_SYSTEMS,
        synced_at=row.instant("lastSyncDateTime"),
        enrolled_at=row.instant("enrolledDateTime"),
    )


def _rows(
    application: str, devices: Iterable[_Device], found: Collection[str], owners: Collection[str]
) -> Iterable[UsageRow]:
    by_owner: dict[str, list[_Device]] = {}
    for device in devices:
        by_owner.setdefault(device.owners[0] if device.owners else NOBODY, []).append(device)
    for owner, theirs in by_owner.items():
        absent = owner != NOBODY and not any(
            device.id in found or not device.would_show or any(one in owners for one in device.owners)
            for device in theirs
        )
        names = Counter(device.name for device in theirs)
        for device in theirs:
            name = device.name if names[device.name] == 1 else f"{device.name} ({device.id})"
            yield _row(application, owner, name, device.synced_at, absent=absent)


def _row(application: str, who: str, device: str, synced_at: datetime | None, *, absent: bool) -> UsageRow:
    if synced_at is None:
        return replace(unknown_use(who, application), device=device, tells=Tells.NOTHING)
    return UsageRow(
        who=who,
        application=application,
        last_used_at=synced_at if absent else None,
        unused_days=None,
        device=device,
        observed_at=synced_at - INVENTORY_EVERY,
        tells=Tells.ABSENCE if absent else Tells.NOTHING,
    )
