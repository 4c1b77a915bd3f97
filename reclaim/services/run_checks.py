"""The checkup: every thing that a campaign needs is tried by something harmless, and told with how to mend it.

The tenant is asked only for what its token can answer: without one, the rest is unknown and not a row of refusals.
"""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus

import structlog

from reclaim.domain.campaign import WriteMode
from reclaim.domain.checkup import Check, CheckName, Checkup, Outcome, clock_check, jobs_check
from reclaim.domain.consent_program import ProgramState
from reclaim.domain.ids import PersonId
from reclaim.domain.policy import Policy
from reclaim.domain.roles import ADMIN_AS_A_PERSON
from reclaim.domain.workloads import ReportState
from reclaim.errors import DirectoryError, PortError
from reclaim.ports.checks import ChannelCheck, Permission, SourceCheck, TenantChecks
from reclaim.ports.directory import SignInSupport, sign_in_support
from reclaim.ports.engine import Backlog
from reclaim.ports.storage import Work
from reclaim.ports.system import Clock
from reclaim.ports.usage_reports import UsageReports
from reclaim.services.access import Access
from reclaim.services.freshness import data_age

CHECK_S = 20.0  # a chat shows the card when the last check is done, so none may take longer
_log = structlog.get_logger(__name__)
_READS = {
    CheckName.READ_PEOPLE: Permission.READ_PEOPLE,
    CheckName.READ_LICENSES: Permission.READ_LICENSES,
    CheckName.READ_GROUPS: Permission.READ_GROUPS,
    CheckName.READ_ROLES: Permission.READ_ROLES,
}
_WRITES = {
    CheckName.WRITE_LICENSES: Permission.WRITE_LICENSES,
    CheckName.WRITE_MEMBERS: Permission.WRITE_MEMBERS,
}


class RunChecks:
    """Looks at an installation; changes nothing."""

    def __init__(
        self,
        *,
        work: Work,
        clock: Clock,
        policy: Policy,
        access: Access,
        checks: TenantChecks,
        backlog: Backlog,
        channels: Sequence[ChannelCheck],
        reports: UsageReports | None = None,
        sources: Mapping[str, SourceCheck] | None = None,
    ) -> None:
        self._work = work
        self._clock = clock
        self._policy = policy
        self._access = access
        self._checks = checks
        self._backlog = backlog
        self._channels = channels
        self._reports = reports
        self._sources = sources or {}

    async def run(self) -> Checkup:
        """Return how everything stands now. A database that cannot be read raises, as every verb does."""
        groups: list[tuple[Check, ...]] = await asyncio.gather(
            self._own(), self._tenant(), self._nexthink(), *(self._channel(channel) for channel in self._channels)
        )
        found = [check for group in groups for check in group]
        if not self._channels:
            found.append(Check(name=CheckName.CHAT, outcome=Outcome.FIX))
        order = list(CheckName)
        return Checkup(
            checks=tuple(sorted(found, key=lambda check: order.index(check.name))),
            at=self._clock.now(),
            live=self._policy.writes is WriteMode.LIVE,
            consent_link=self._checks.consent_link(writer=False),
            writer_link=self._checks.consent_link(writer=True),
        )

    async def _own(self) -> tuple[Check, ...]:
        """Look at what we keep ourselves."""
        now = self._clock.now()
        admins = await self._access.people_with(ADMIN_AS_A_PERSON)
        async with self._work.read() as reading:
            newest = await reading.syncs.newest_complete()
            held = await reading.seats.held()
            prices = await reading.catalog.prices(now)
            skus = await reading.catalog.skus()
            fallback = self._policy.fallback_reviewer
            reviewer = await reading.people.get(PersonId(fallback)) if fallback else None
        age = data_age(newest, now, self._policy.data_max_age)
        unpriced = sorted(
            (skus[product].name for product in held if product in skus and product not in prices), key=str.casefold
        )
        waiting, longest = await self._backlog.backlog()
        return (
            Check(name=CheckName.DATABASE, outcome=Outcome.GOOD),
            jobs_check(waiting, longest),
            Check(
                name=CheckName.DATA,
                outcome=_passed(age.as_of is not None and not age.stale),
                since=None if age.as_of is None else now - age.as_of,
            ),
            Check(name=CheckName.PRICES, outcome=_passed(not unpriced), about=tuple(unpriced), number=len(unpriced)),
            Check(name=CheckName.ADMINS, outcome=_passed(len(admins) > 1), number=len(admins)),
            Check(
                name=CheckName.FALLBACK,
                outcome=_passed(reviewer is not None and reviewer.can_review),
                number=int(fallback is not None),
            ),
        )

    async def _tenant(self) -> tuple[Check, ...]:
        intune = await self._intune_needed()
        separate = self._checks.separate_writer
        tokens = [await self._ask(CheckName.ENTRA, self._checks.token(writer=False))]
        if separate:
            tokens.append(await self._ask(CheckName.ENTRA_WRITER, self._checks.token(writer=True)))
        if tokens[0].outcome is not Outcome.GOOD:
            unknown = [CheckName.CLOCK, *_READS, CheckName.READ_SIGN_INS, CheckName.PREMIUM, CheckName.READ_MAILBOXES]
            unknown += [CheckName.USAGE_REPORTS] if self._reports is not None else []
            unknown += [CheckName.INTUNE] if intune is not None else []
            reads = tuple(Check(name=name, outcome=Outcome.UNKNOWN) for name in unknown)
        else:
            reads = (*await self._reads(), *await self._usage(), await self._mailboxes())
            reads += (await self._intune(intune),) if intune is not None else ()
        return (*tokens, *reads, *await self._writes(usable=tokens[-1].outcome is Outcome.GOOD))

    async def _reads(self) -> tuple[Check, ...]:
        times: list[datetime] = []

        async def read(name: CheckName, permission: Permission) -> Check:
            async def ask() -> None:
                at = await self._checks.read(permission)
                if at is not None:
                    times.append(at)

            return await self._ask(name, ask())

        checks = await asyncio.gather(*(read(name, permission) for name, permission in _READS.items()))
        now = self._clock.now()
        people = next(check for check in checks if check.name is CheckName.READ_PEOPLE)
        if people.outcome is Outcome.GOOD:
            sign_ins = await self._sign_ins()
        else:  # sign-ins are read off people, so that both would be refused for one cause
            sign_ins = (
                Check(name=CheckName.READ_SIGN_INS, outcome=Outcome.UNKNOWN),
                Check(name=CheckName.PREMIUM, outcome=Outcome.UNKNOWN),
            )
        return (*checks, *sign_ins, clock_check(now - max(times) if times else None))

    async def _sign_ins(self) -> tuple[Check, Check]:
        """Tell a missing permission from a missing Entra ID P1: they are mended by different people."""
        permission, premium = Outcome.GOOD, Outcome.GOOD
        said = ""
        try:
            async with asyncio.timeout(CHECK_S):
                await self._checks.read(Permission.READ_SIGN_INS)
        except TimeoutError:
            permission = premium = Outcome.UNKNOWN
        except DirectoryError as error:
            said = error.message
            match sign_in_support(error):
                case SignInSupport.NO_PREMIUM:
                    # Graph looks at the tenant's licenses first, so that nothing is known about the permission.
                    permission, premium = Outcome.UNKNOWN, Outcome.FIX
                case SignInSupport.NO_PERMISSION:
                    permission, premium = Outcome.FIX, Outcome.UNKNOWN
                case _:
                    permission = Outcome.FIX if error.permanent else Outcome.UNKNOWN
                    premium = Outcome.UNKNOWN
        return (
            Check(name=CheckName.READ_SIGN_INS, outcome=permission, said=said),
            Check(name=CheckName.PREMIUM, outcome=premium),
        )

    async def _usage(self) -> tuple[Check, ...]:
        """Look whether usage reports can be read and matched with people: needed only where seats are judged by them."""
        if self._reports is None:
            return ()
        try:
            async with asyncio.timeout(CHECK_S):
                state, said = await self._usage_state(self._reports)
        except TimeoutError:
            return (Check(name=CheckName.USAGE_REPORTS, outcome=Outcome.UNKNOWN),)
        except DirectoryError as error:
            return (Check(name=CheckName.USAGE_REPORTS, outcome=Outcome.UNKNOWN, said=error.message),)
        if state is ReportState.READ:
            return (Check(name=CheckName.USAGE_REPORTS, outcome=Outcome.GOOD),)
        missing = Outcome.FIX if self._policy.judges_by_reports else Outcome.WITHOUT
        return (Check(name=CheckName.USAGE_REPORTS, outcome=missing, said=said, about=(state.value,)),)

    async def _mailboxes(self) -> Check:
        """Look at what the token says: a mailbox could only be asked about by the name of its owner."""
        granted = None
        try:
            async with asyncio.timeout(CHECK_S):
                granted = await self._checks.may(Permission.READ_MAILBOXES)
        except (DirectoryError, TimeoutError):
            _log.warning("the permissions to read could not be read")
        outcomes = {True: Outcome.GOOD, False: Outcome.WITHOUT, None: Outcome.UNKNOWN}
        return Check(name=CheckName.READ_MAILBOXES, outcome=outcomes[granted])

    async def _intune_needed(self) -> SourceCheck | None:
        """Return how Intune is tried; None where no program that has not ended goes by it."""
        if "intune" not in self._sources:
            return None
        async with self._work.read() as reading:
            programs = await reading.consents.programs({ProgramState.ACTIVE, ProgramState.PAUSED})
        return self._sources["intune"] if any(one.terms.source == "intune" for one in programs) else None

    async def _intune(self, source: SourceCheck) -> Check:
        refused = False

        async def ask() -> None:
            nonlocal refused
            try:
                await source.check()
            except DirectoryError as error:
                refused = error.status == HTTPStatus.FORBIDDEN
                raise

        check = await self._ask(CheckName.INTUNE, ask())
        return replace(check, about=(Permission.READ_DEVICES.value,)) if refused else check

    async def _nexthink(self) -> tuple[Check, ...]:
        source = self._sources.get("nexthink")
        return (await self._ask(CheckName.NEXTHINK, source.check()),) if source is not None else ()

    async def _usage_state(self, reports: UsageReports) -> tuple[ReportState, str]:
        if not reports.offered:
            return ReportState.NOT_OFFERED, ""
        try:
            await self._checks.read(Permission.READ_REPORTS)
        except DirectoryError as error:
            if error.status != HTTPStatus.FORBIDDEN:
                raise
            return ReportState.NO_PERMISSION, error.message
        if await reports.concealed():
            return ReportState.CONCEALED, ""
        async with self._work.read() as reading:
            readings = await reading.workload_use.readings()
        # Names may be hidden though the setting could not be read, and a report may have another form than we know.
        bad = next((one for one in readings if one.state in (ReportState.CONCEALED, ReportState.FAILED)), None)
        return (bad.state, bad.said) if bad is not None else (ReportState.READ, "")

    async def _writes(self, *, usable: bool) -> tuple[Check, ...]:
        granted = None
        if usable:
            try:
                async with asyncio.timeout(CHECK_S):
                    granted = await self._checks.write_permissions(anew=False)
            except (DirectoryError, TimeoutError):
                _log.warning("the permissions to write could not be read")
        return tuple(
            Check(name=name, outcome=Outcome.UNKNOWN if granted is None else _passed(permission in granted))
            for name, permission in _WRITES.items()
        )

    async def _channel(self, channel: ChannelCheck) -> tuple[Check, ...]:
        check = await self._ask(CheckName.CHAT, channel.check(), about=(channel.channel,))
        return (check,)

    async def _ask(self, name: CheckName, question: Awaitable[None], *, about: tuple[str, ...] = ()) -> Check:
        try:
            async with asyncio.timeout(CHECK_S):
                await question
        except TimeoutError:
            return Check(name=name, outcome=Outcome.UNKNOWN, about=about)
        except PortError as error:
            _log.info("a check failed", check=name.value, error=error.code)
            return Check(
                name=name,
                outcome=Outcome.FIX if error.permanent else Outcome.UNKNOWN,
                said=error.message,
                about=about,
            )
        return Check(name=name, outcome=Outcome.GOOD, about=about)


def _passed(passed: bool) -> Outcome:
    return Outcome.GOOD if passed else Outcome.FIX
