"""The usage reports of the practice tenant: who used which service when, as Microsoft 365 tells it, in CSV.

Graph answers with an address outside of itself, good for some minutes for whoever has it. A bearer token there is refused,
so that no client may send one. Sources: reportroot-getoffice365activeuserdetail, reportroot-getm365appuserdetail,
reportroot-getoffice365activationsuserdetail (302, columns), adminreportsettings (displayConcealedNames), activity-reports
(days behind).
"""

import asyncio
import csv
import hashlib
import io
import re
import secrets
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from aiohttp import web

from rehearsal import errors, permissions
from rehearsal.cases import Case
from rehearsal.clock import DAY
from rehearsal.directory import Directory
from rehearsal.gate import Gate
from rehearsal.odata import Addresses
from rehearsal.people import License, Person

DOWNLOAD = "/usage-report"
PERIODS = {"D7": 7, "D30": 30, "D90": 90, "D180": 180}
# How far behind its day a report is (activity-reports: usually within 48 hours).
DAYS_BEHIND = 2
_WEEK = 7 * DAY
_GOOD_FOR_S = 300.0
_CALL = re.compile(r"(?P<name>\w+)\((?:period='(?P<period>\w+)')?\)")

# The services of the report on active users, in the order of its columns, with the plans that give them.
_SERVICES: dict[str, tuple[str, ...]] = {
    "Exchange": ("EXCHANGE_S_ENTERPRISE",),
    "OneDrive": ("SHAREPOINTENTERPRISE", "ONEDRIVE_BASIC"),
    "SharePoint": ("SHAREPOINTENTERPRISE",),
    "Skype For Business": ("MCOSTANDARD",),
    "Yammer": ("YAMMER_ENTERPRISE",),
    "Teams": ("TEAMS1",),
}
_APPS = "Apps"
_APP_PLANS = ("OFFICESUBSCRIPTION", "SHAREPOINTWAC")
_ACTIVATED = {
    "OFFICESUBSCRIPTION": "MICROSOFT 365 APPS FOR ENTERPRISE",
    "VISIO_CLIENT_SUBSCRIPTION": "VISIO ONLINE PLAN 2",
    "PROJECT_CLIENT_SUBSCRIPTION": "PROJECT ONLINE DESKTOP CLIENT",
}
_UNSAID = -1  # the use of a service follows from sign-ins
SERVICES = (*_SERVICES, _APPS)
# What kind of mailbox an account has (resources/mailboxsettings, userPurpose).
_PURPOSES = {Case.SHARED_MAILBOX: "shared", Case.ROOM_MAILBOX: "room", Case.ROOM_DEVICE: "room"}


class UsageEndpoints:
    """The handlers of report settings, reports, downloads and mailbox settings.

    Attributes:
        concealed: Names are hidden in reports, as in a tenant that never changed its settings.
        days_behind: How many days before today the reports end.
        renamed: Columns under another name, as after a change by Microsoft.
    """

    def __init__(self, directory: Directory, gate: Gate, addresses: Addresses, origin: str) -> None:
        self._directory = directory
        self._gate = gate
        self._addresses = addresses
        self._origin = origin
        self._given: dict[str, tuple[str, int, float]] = {}
        self._used: dict[tuple[int, str], int | None] = {}
        self.concealed = False
        self.days_behind = DAYS_BEHIND
        self.renamed: dict[str, str] = {}

    def routes(self) -> list[web.RouteDef]:
        """Return the addresses below the service root."""
        return [
            web.get("/admin/reportSettings", self._settings),
            web.get("/reports/{call}", self._report),
            web.get("/users/{user}/mailboxSettings/userPurpose", self._purpose),
        ]

    def downloads(self) -> list[web.RouteDef]:
        """Return the address that stands beside Graph."""
        return [web.get(f"{DOWNLOAD}/{{ticket}}", self._download)]

    def use(self, number: int, service: str, at: int | None) -> None:
        """Say when a person used a service last, in place of what follows from their sign-ins; None: never."""
        if service not in SERVICES:
            message = f"'service' is one of {', '.join(SERVICES)}"
            raise ValueError(message)
        self._used[number, service] = at

    async def _settings(self, request: web.Request) -> web.Response:
        self._gate.require(permissions.READ_REPORT_SETTINGS)
        self._addresses.parse(request, ())
        context = self._addresses.context("admin/reportSettings/$entity")
        return web.json_response({"@odata.context": context, "displayConcealedNames": self.concealed})

    async def _report(self, request: web.Request) -> web.Response:
        self._gate.require(permissions.READ_REPORTS)
        self._addresses.parse(request, {"$format"})
        call = _CALL.fullmatch(request.match_info["call"])
        makers = {"getOffice365ActiveUserDetail", "getM365AppUserDetail", "getOffice365ActivationsUserDetail"}
        if call is None or call["name"] not in makers:
            raise errors.no_such_path(request.match_info["call"])
        if (call["period"] is None) != (call["name"] == "getOffice365ActivationsUserDetail"):
            raise errors.bad_request("Invalid period value specified.")
        if call["period"] not in {None, *PERIODS}:
            raise errors.bad_request("Invalid period value specified.")
        if request.query.get("$format", "text/csv") != "text/csv":
            raise errors.bad_request("The practice tenant gives reports as text/csv only.")
        ticket = secrets.token_urlsafe(24)
        self._given[ticket] = (call["name"], PERIODS.get(call["period"] or "", 0), time.monotonic() + _GOOD_FOR_S)
        location = f"{self._origin}{DOWNLOAD}/{ticket}"
        return web.Response(status=302, headers={"Location": location, "Content-Type": "text/plain"})

    async def _download(self, request: web.Request) -> web.Response:
        if "Authorization" in request.headers:
            return web.Response(status=400, text="This address lets in by itself.")
        name, period, until = self._given.get(request.match_info["ticket"], ("", 0, 0.0))
        if time.monotonic() > until:
            return web.Response(status=403, text="This address is good no more.")
        body = await asyncio.to_thread(self._csv, name, period)
        headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
        return web.Response(body=body, content_type="application/octet-stream", headers=headers)

    async def _purpose(self, request: web.Request) -> web.Response:
        self._gate.require(permissions.READ_MAILBOX_SETTINGS)
        self._addresses.parse(request, ())
        person = self._directory.find(request.match_info["user"])
        case, _ = self._directory.people.case_of(person.number)
        if not _has(person, _SERVICES["Exchange"]):
            raise errors.no_mailbox()
        context = self._addresses.context(f"users('{person.id}')/mailboxSettings/userPurpose")
        return web.json_response({"@odata.context": context, "value": _PURPOSES.get(case, "user")})

    # The files

    def _csv(self, name: str, period: int) -> bytes:
        refreshed = self._directory.clock.now // DAY * DAY - self.days_behind * DAY
        rows = {
            "getOffice365ActiveUserDetail": self._active_users,
            "getM365AppUserDetail": self._app_users,
            "getOffice365ActivationsUserDetail": self._activations,
        }[name](refreshed, period)
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow([self.renamed.get(column, column) for column in next(rows)])
        writer.writerows(rows)
        return text.getvalue().encode("utf-8-sig")

    def _active_users(self, refreshed: int, period: int) -> Iterator[list[str]]:
        yield [
            "Report Refresh Date",
            "User Principal Name",
            "Display Name",
            "Is Deleted",
            "Deleted Date",
            *(f"Has {service} License" for service in _SERVICES),
            *(f"{service} Last Activity Date" for service in _SERVICES),
            *(f"{service} License Assign Date" for service in _SERVICES),
            "Assigned Products",
        ]
        for person in self._people():
            has = [_has(person, plans) for plans in _SERVICES.values()]
            used = [self._last_use(person, service, refreshed, period) for service in _SERVICES]
            yield [
                _day(refreshed),
                *self._named(person),
                "False",
                "",
                *(str(one) for one in has),
                *(_day(at) if one and at is not None else "" for one, at in zip(has, used, strict=True)),
                *(
                    _day(_given_at(person, plans)) if one else ""
                    for one, plans in zip(has, _SERVICES.values(), strict=True)
                ),
                "+".join(sorted(sku.part_number for sku in person.held_skus())),
            ]

    def _app_users(self, refreshed: int, period: int) -> Iterator[list[str]]:
        names = ("Report Refresh Date", "User Principal Name", "Last Activation Date", "Last Activity Date")
        yield [*names, "Report Period", "Windows", "Mac", "Mobile", "Web"]
        for person in self._people():
            if not _has(person, _APP_PLANS):
                continue
            at = self._last_use(person, _APPS, refreshed, period)
            upn, _ = self._named(person)
            used = "Yes" if at is not None else "No"
            day = "" if at is None else _day(at)
            yield [_day(refreshed), upn, "", day, str(period), used, "No", "No", used]

    def _activations(self, refreshed: int, _: int) -> Iterator[list[str]]:
        names = ("Report Refresh Date", "User Principal Name", "Display Name", "Product Type", "Last Activated Date")
        yield [*names, "Windows", "Mac", "Windows 10 Mobile", "iOS", "Android", "Activated On Shared Computer"]
        for person in self._people():
            for plan, product in _ACTIVATED.items():
                if _has(person, (plan,)) and person.sign_ins is not None:
                    at = _given_at(person, (plan,))
                    yield [_day(refreshed), *self._named(person), product, _day(at), "1", "0", "0", "0", "0", "False"]

    def _people(self) -> Iterator[Person]:
        """Give everybody who has a license; a thread of its own reads them, and Graph goes on answering."""
        for number in list(self._directory.numbers()):
            person = self._directory.person(number)
            if person.licenses:
                yield person

    def _last_use(self, person: Person, service: str, refreshed: int, period: int) -> int | None:
        """Return when somebody used a service last, within the period: they use all they have whenever they sign in."""
        said = self._used.get((person.number, service), _UNSAID)
        at = self._seen(person, refreshed) if said == _UNSAID else said
        return at if at is not None and refreshed - period * DAY <= at else None

    def _seen(self, person: Person, refreshed: int) -> int | None:
        """Return the last sign-in of any kind up to the end of the day that the report covers."""
        until = refreshed + DAY - 1
        for known in (person.sign_ins, self._directory.people.baseline(person.number).sign_ins):
            now = None if known is None else known.at(until)
            instants = [] if now is None else [now.interactive, now.background, now.successful]
            # Who comes every week came the week before, too.
            back = _WEEK if known is not None and known.repeats else 0
            seen = [one for at in instants if at is not None for one in (at, at - back) if one <= until]
            if seen:
                return max(seen)
        return None

    def _named(self, person: Person) -> tuple[str, str]:
        if not self.concealed:
            return person.upn, f"{person.surname}, {person.given_name}"
        return _hidden(person.upn), _hidden(person.name)


def _has(person: Person, plans: tuple[str, ...]) -> bool:
    return any(_gives(license_, plans) for license_ in person.licenses)


def _gives(license_: License, plans: tuple[str, ...]) -> bool:
    on = (plan for plan in license_.sku.plans if plan.plan_id not in license_.disabled_plans)
    return license_.counts and any(plan.name in plans for plan in on)


def _given_at(person: Person, plans: tuple[str, ...]) -> int:
    return max(license_.updated_at for license_ in person.licenses if _gives(license_, plans))


def _hidden(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32].upper()


def _day(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}"
