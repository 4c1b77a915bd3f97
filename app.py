"""The composition root, and what the verbs of the command `reclaim` do: settings in, a wired application out.

The only place that knows concrete adapters and reads the environment.
"""

import asyncio
import contextlib
import getpass
import os
import secrets
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import click
import httpx
from pydantic import SecretStr

from bot import console, server
from bot.commands import COMMANDS
from bot.commands.doctor import DOCTOR
from bot.guard import Rate, StoredRequests
from bot.inbound import Dispatch, Transport
from bot.mirror import LiveMessages
from bot.outbound import Outbox
from bot.people import SyncedPeople
from bot.practice import Calendar, Watch
from bot.router import Router
from bot.services import Services, ZoneOf
from bot.slack import manifest as slack_manifest
from bot.slack import wiring as slack
from bot.slack.channel import SlackChannel
from bot.slack.wiring import SlackWiring
from bot.teams import manifest as teams_manifest
from bot.teams.channel import TeamsChannel, teams_settings
from bot.web import chat as web_chat
from bot.web import conversations as web_conversations
from bot.web import routes as web_routes
from bot.web import security as web_security
from bot.web import watch as web_watch
from cards.formats import count
from cards.report import HtmlDocuments
from cards.welcome import welcome_card
from reclaim import settings as installation
from reclaim.connectors import graph
from reclaim.connectors.clock import SteppingClock, SystemClock
from reclaim.connectors.cron import CronSchedule
from reclaim.connectors.engine import DbosEngine
from reclaim.connectors.engine import migrate as migrate_engine
from reclaim.connectors.faulty_writer import FAULTS
from reclaim.connectors.nexthink import NexthinkClient, NexthinkUsage
from reclaim.connectors.practice import PracticeControl, PracticePersona
from reclaim.connectors.process_lock import DatabaseInUseError, ProcessLock
from reclaim.connectors.tokens import RandomTokens
from reclaim.connectors.usage_csv import BadRows, UsageFile
from reclaim.connectors.usage_rejects import Rejects, rejects_of
from reclaim.domain.campaign import Limits, WriteMode
from reclaim.domain.ids import PersonId, RunId, TenantId
from reclaim.domain.policy import Policy
from reclaim.domain.read_models import SyncView
from reclaim.domain.syncing import SyncKind
from reclaim.errors import InvalidRequest
from reclaim.ports.chat import Messenger
from reclaim.ports.checks import SourceCheck
from reclaim.ports.directory import SeatWriter
from reclaim.ports.storage import Work
from reclaim.ports.system import Clock, Tokens
from reclaim.ports.usage import UsageSource, UsageSources
from reclaim.services import jobs
from reclaim.services.sync_directory import SyncDirectory
from reclaim.services.use_cases import UseCases
from reclaim.settings import Settings
from rehearsal import PracticeTenant
from rehearsal.chat_client import Unexpected
from rehearsal.story import play
from scheduler import Scheduler
from storage import migrate
from storage.decisions import DecisionBatcher
from storage.engine import Database, plain_url, sqlite_path
from storage.unit_of_work import SqlWork

DRAIN: Final = timedelta(seconds=20)  # below the 30 s that Kubernetes waits before it kills
FAULT: Final = "REHEARSAL_FAULT"
_LOOK_AGAIN_S: Final = 0.3

WrapWriter = Callable[[SeatWriter], SeatWriter]
Transports = Callable[[Work, graph.GraphConnection], Sequence[Transport]]


def policy(settings: Settings) -> Policy:
    """Return the installation's rules."""
    return Policy(
        admins=settings.admins,
        license_managers=settings.license_managers,
        auditors=settings.auditors,
        fallback_reviewer=PersonId(settings.fallback_reviewer) if settings.fallback_reviewer else None,
        writes=WriteMode(settings.writes),
        zone=settings.zone,
        idle_days=settings.idle_days,
        never_seen_since=settings.never_seen_since,
        close_grace=settings.close_grace,
        cooldown=settings.cooldown,
        undo_window=settings.undo_window,
        questions_per_day=settings.questions_per_day,
        usage_max_age=settings.usage_max_age,
        data_max_age=settings.data_max_age,
        judges_by_reports=settings.usage_reports == "on",
        report_max_age=settings.report_max_age,
        may_lose_data=settings.data_loss == "ask",
        reminder_before=settings.reminder_before,
        receipts_per_minute=settings.receipt_budget,
        sync_at=settings.sync_at,
        changes_every=settings.changes_every,
        limits=Limits(
            soft_seats=settings.limit_soft_seats,
            soft_share=settings.limit_soft_share,
            hard_seats=settings.limit_hard_seats,
            hard_share=settings.limit_hard_share,
            hard_per_hour=settings.limit_hard_per_hour,
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """The product, wired. `engine` and `scheduler` are not started: short verbs read, or write and enqueue."""

    settings: Settings
    clock: Clock
    tokens: Tokens
    work: Work
    engine: DbosEngine
    use: UseCases
    dispatch: Dispatch
    messenger: Messenger
    scheduler: Scheduler

    async def ready(self) -> tuple[str, ...]:
        """Return what keeps the product from working; a database that does not answer raises."""
        async with self.work.read() as unit:
            await unit.controls.tenant()
        return ()

    async def load_prices(self) -> None:
        """Take the price list of the settings, if there is one."""
        if path := self.settings.prices:
            text = await asyncio.to_thread(path.read_text, encoding="utf-8")
            await self.use.prices.from_csv(text, path.name)

    async def check_tenant(self) -> None:
        """Refuse a database that holds another tenant's data.

        Raises:
            InvalidRequest: It does.
        """
        async with self.work.read() as unit:
            stored = await unit.controls.tenant()
        if stored is not None and self.settings.tenant_id not in (None, stored):
            raise InvalidRequest(
                f"This database holds tenant {stored}, but RECLAIM_TENANT_ID is {self.settings.tenant_id}."
                " Use a database of its own for each tenant."
            )


@asynccontextmanager
async def compose(
    settings: Settings,
    *,
    clock: Clock,
    tokens: Tokens,
    transports: Transports = lambda *_: (),
    speaks: bool = True,
    with_groups: bool = True,
    wrap_writer: WrapWriter = lambda writer: writer,
    polling_interval_s: float = 0.5,
) -> AsyncIterator[Application]:
    """Wire the product; leaving the block ends running jobs, then closes every connection.

    Args:
        settings: Where no tenant is set, verbs that need the directory fail with its refusal; others do not ask it.
        clock: Calendar time.
        tokens: Ids.
        transports: The channels that can reach people.
        speaks: Whether this process uses them to speak; otherwise the checkup alone asks them.
        with_groups: Whether a sync reads groups.
        wrap_writer: Stands between us and the directory's writer (rehearsal).
        polling_interval_s: How soon a job begins.
    """
    url = settings.database_url.get_secret_value()
    rules = policy(settings)
    async with AsyncExitStack() as closing:
        database = Database(url)
        closing.push_async_callback(database.dispose)
        tenant = _connect(settings, clock=clock, tokens=tokens)
        closing.push_async_callback(tenant.aclose)
        decisions = DecisionBatcher(database)
        await decisions.start()
        closing.push_async_callback(decisions.stop)
        engine = DbosEngine(url, polling_interval_s=polling_interval_s)
        closing.push_async_callback(engine.stop, DRAIN)
        work = SqlWork(database, engine.enqueue_in)
        channels = transports(work, tenant)
        messenger = Outbox(
            work=work,
            clock=clock,
            tokens=tokens,
            transports=channels if speaks else (),
            zone_of=_zone_of(rules),
        )
        use = UseCases(
            work=work,
            clock=clock,
            tokens=tokens,
            policy=rules,
            directory=tenant.directory,
            writer=wrap_writer(tenant.writer),
            messenger=messenger,
            decisions=decisions,
            documents=HtmlDocuments(),
            tenant_id=TenantId(settings.tenant_id or ""),
            checks=tenant.checks,
            backlog=engine,
            channels=channels,
            schedule=CronSchedule(),
            usage=_usage(settings, clock=clock, tenant=tenant, closing=closing),
            with_groups=with_groups,
            reports=tenant.reports,
        )
        _register(engine, use)
        yield Application(
            settings=settings,
            clock=clock,
            tokens=tokens,
            work=work,
            engine=engine,
            use=use,
            dispatch=_router(use, work=work, clock=clock, tokens=tokens, policy=rules, messenger=messenger),
            messenger=messenger,
            scheduler=Scheduler(use.due.tick),
        )


def _connect(settings: Settings, *, clock: Clock, tokens: Tokens) -> graph.GraphConnection:
    return graph.connect(
        login_url=settings.login_url,
        graph_url=settings.graph_url,
        tenant_id=settings.tenant_id or "",
        reader=graph.registration(settings.client_id or "", settings.client_secret, settings.client_certificate),
        writer=graph.registration(
            settings.writer_client_id,
            settings.writer_client_secret,
            settings.writer_client_certificate,
            prefix="RECLAIM_WRITER_CLIENT",
        )
        if settings.writer_client_id
        else None,
        writes=settings.write_budget,
        sign_ins=settings.sign_in_budget,
        ca_file=settings.ca_file,
        sku_names=settings.sku_names,
        usage_reports=settings.cloud == "global",
        clock=clock,
        tokens=tokens,
    )


def _usage(settings: Settings, *, clock: Clock, tenant: graph.GraphConnection, closing: AsyncExitStack) -> UsageSources:
    """Return where the use of applications is known from: files and Microsoft always, services where they are set up."""
    titles = {"csv": "Files", "m365": "Microsoft usage reports", "intune": "Intune"}
    intune = graph.IntuneUse(tenant.client)
    asked: dict[str, UsageSource] = {"m365": graph.M365Use(tenant.reports), "intune": intune}
    checks: dict[str, SourceCheck] = {"intune": intune}
    if settings.nexthink_query is not None:
        client = NexthinkClient(
            url=settings.nexthink_url or "",
            login_url=settings.nexthink_login_url or "",
            client_id=settings.nexthink_client_id or "",
            client_secret=settings.nexthink_client_secret.get_secret_value() if settings.nexthink_client_secret else "",
            clock=clock,
            ca_file=settings.ca_file,
        )
        closing.push_async_callback(client.aclose)
        nexthink = NexthinkUsage(
            client,
            clock=clock,
            query_id=settings.nexthink_query,
            columns=settings.nexthink_columns,
            small=settings.nexthink_method == "execute",
        )
        titles["nexthink"] = "Nexthink"
        asked["nexthink"], checks["nexthink"] = nexthink, nexthink
    return UsageSources(titles=titles, asked=asked, checks=checks)


def _router(
    use: UseCases, *, work: Work, clock: Clock, tokens: Tokens, policy: Policy, messenger: Messenger
) -> Dispatch:
    return Router(
        Services(
            access=use.access,
            sync_directory=use.sync,
            read_spend=use.spend,
            read_seats=use.seats,
            exclude_seats=use.exclude,
            import_absences=use.absences,
            manual_tasks=use.tasks,
            keep_prices=use.keep_prices,
            load_prices=use.prices,
            start_campaign=use.start,
            choose_seats=use.choose,
            confirm_launch=use.confirm,
            read_wave=use.waves,
            record_decision=use.decide,
            delegate_item=use.delegate,
            reassign_items=use.reassign,
            steer_campaign=use.steer,
            nudge_reviewers=use.nudge,
            name_owner=use.owners,
            close_campaign=use.close,
            freeze_writes=use.freeze,
            restore_seats=use.restores,
            read_consent=use.read_consent,
            answer_consent=use.answer_consent,
            appeal_consent=use.appeal_consent,
            keep_programs=use.programs,
            run_consent=use.run_consent,
            export_consent=use.export_consent,
            appeal_removals=use.appeals,
            run_checks=use.checkup,
            read_status=use.status,
            read_summary=use.summaries,
            explain_seat=use.why,
            read_history=use.history,
            export_evidence=use.export,
            people=SyncedPeople(work=work),
            messenger=messenger,
            clock=clock,
            tokens=tokens,
            policy=policy,
            zone_of=_zone_of(policy),
        ),
        seen=StoredRequests(work=work, clock=clock),
        rate=Rate(monotonic=time.monotonic),
        answering=work.answering,
    )


def _zone_of(policy: Policy) -> ZoneOf:
    async def zone_of(_: PersonId) -> str:
        return policy.zone  # no channel of this release knows a person's own

    return zone_of


def _register(engine: DbosEngine, use: UseCases) -> None:
    handlers = {
        jobs.SYNC: use.sync.handle,
        jobs.OPEN: use.open.handle,
        jobs.WAVE: use.send.handle_wave,
        jobs.GROUP: use.send.handle_group,
        jobs.REMINDER: use.send.handle_reminder,
        jobs.OWNER: use.send.handle_owner,
        jobs.ANNOUNCE: use.send.handle_announce,
        jobs.CLOSE: use.close.handle,
        jobs.WRITEBACK: use.apply.handle,
        jobs.VERIFY: use.verify.handle,
        jobs.TELL: use.tell.handle_tell,
        jobs.REMIND: use.tell.handle_remind,
        jobs.RELEASE: use.release.handle,
        jobs.SUMMARY: use.results.handle_summary,
        jobs.PROGRESS: use.results.handle_progress,
        jobs.RECEIPT: use.results.handle_receipt,
        jobs.RECEIPTS: use.results.handle_receipts,
        jobs.CONFIRMATION: use.confirm.handle,
        jobs.EXCLUDE: use.exclude.handle,
        jobs.ABSENCES: use.absences.handle,
        jobs.RESTORE: use.restore.handle,
        jobs.RESTORES: use.way_back.handle_restores,
        jobs.CAME_BACK: use.way_back.handle_came_back,
        jobs.ASK_BACK: use.way_back.handle_ask_back,
        jobs.TASK: use.tasks.handle,
        jobs.CONSENT_RUN: use.run_consent.handle,
        jobs.CONSENT: use.tell_consent.handle,
        jobs.CONSENT_RESULT: use.tell_consent.handle_result,
        jobs.MEMBERSHIP: use.change_members.handle,
        jobs.WAITER: use.tell_consent.handle_waiter,
        jobs.APPEAL: use.appeals.handle,
    }
    for kind, handler in handlers.items():
        engine.register(kind, handler)


def _database_file(settings: Settings) -> Path | None:
    return sqlite_path(plain_url(settings.database_url.get_secret_value()))


@contextlib.contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Hold the SQLite file against a second process that runs jobs; PostgreSQL is made for several.

    Raises:
        DatabaseInUseError: Another process holds it.
    """
    path = _database_file(settings)
    if path is None:
        yield
        return
    lock = ProcessLock(path)
    lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _upgrade(settings: Settings) -> None:
    url = settings.database_url.get_secret_value()
    migrate.upgrade(url)
    migrate_engine(url)


def _check_tables(settings: Settings, *, may_upgrade: bool) -> None:
    """Make sure that the tables fit this version.

    Args:
        settings: Of the database.
        may_upgrade: On a SQLite file that this process holds alone there is nobody to ask first.

    Raises:
        InvalidRequest: They do not.
    """
    if migrate.head_is_current(settings.database_url.get_secret_value()):
        return
    if not (may_upgrade and _database_file(settings)):
        raise InvalidRequest("The database has not the tables of this version. Run this first: reclaim db upgrade")
    _upgrade(settings)


async def _serve(settings: Settings) -> int:
    """Run the product until SIGTERM or SIGINT: stop ticks, finish requests, end jobs, close clients, in this order."""
    clock, tokens = SystemClock(), RandomTokens()
    async with AsyncExitStack() as closing:
        chats = await _chat_services(settings, clock, tokens, closing)
        app = await closing.enter_async_context(compose(settings, clock=clock, tokens=tokens, transports=chats))
        await app.check_tenant()
        await app.load_prices()
        await app.engine.start()
        http = server.application(app.ready)
        seen = StoredRequests(work=app.work, clock=clock)
        for channel in chats.teams:
            channel.serve(http, dispatch=app.dispatch, seen=seen)
        for slack_channel in chats.slack:
            mirror = LiveMessages(work=app.work, waves=app.use.waves, messenger=app.messenger)
            slack_channel.serve(http, dispatch=app.dispatch, seen=seen, mirror=mirror)
        async with server.serving(http, settings.listen_host, settings.listen_port) as port:
            app.scheduler.start()
            server.settle_memory()
            click.echo(f"Reclaim listens on {settings.listen_host}:{port}. Removals: {settings.writes}.")
            await server.until_stopped()
            app.scheduler.stop()
    return console.DONE


class ChatServices:
    """The chat services of an installation; called with the core that is being wired, they give their ways out."""

    def __init__(
        self, make_teams: Callable[[Work, graph.GraphConnection], TeamsChannel] | None, slack: SlackWiring
    ) -> None:
        self._make_teams = make_teams
        self._slack_wiring = slack
        self.teams: list[TeamsChannel] = []
        self.slack: list[SlackChannel] = []

    def __call__(self, work: Work, tenant: graph.GraphConnection) -> Sequence[Transport]:
        """Make the channels, and return how they speak."""
        if self._make_teams is not None:
            self.teams.append(self._make_teams(work, tenant))
        self.slack.extend(filter(None, (self._slack_wiring.channel(work),)))
        return [*(one.transport for one in self.teams), *(one.transport for one in self.slack)]


async def _chat_services(settings: Settings, clock: Clock, tokens: Tokens, closing: AsyncExitStack) -> ChatServices:
    """Check what is set for chat, and open what it needs.

    Raises:
        ReclaimError: Something is set so that it cannot be used, or lets everybody in.
    """
    teams = teams_settings(settings)
    wiring = await slack.prepare(settings, clock, tokens, closing)
    if teams is None:
        return ChatServices(None, wiring)
    token = await _teams_token(settings, closing)
    client = await closing.enter_async_context(httpx.AsyncClient(follow_redirects=False, trust_env=False))

    def make_teams(work: Work, tenant: graph.GraphConnection) -> TeamsChannel:
        return TeamsChannel(
            teams,
            work=work,
            clock=clock,
            tokens=tokens,
            token=token.current,
            http=client,
            installer=graph.TeamsInstaller(tenant.client, manifest_id=teams.door.app_id, tokens=tokens),
            monotonic=time.monotonic,
        )

    return ChatServices(make_teams, wiring)


async def _teams_token(settings: Settings, closing: AsyncExitStack) -> graph.BotTokens:
    secret, tenant_id = settings.teams_app_secret, settings.teams_tenant_id or settings.tenant_id
    token = await asyncio.to_thread(
        graph.bot_tokens,
        app_id=settings.teams_app_id or "",
        tenant_id=tenant_id or "",
        secret=secret.get_secret_value() if secret else None,
        certificate_file=settings.teams_certificate,
        login_url=settings.login_url,
        ca_file=settings.ca_file,
    )
    closing.push_async_callback(token.aclose)
    return token


async def _sync(settings: Settings, kind: SyncKind, *, alone: bool) -> int:
    """Read the tenant: here and now where nobody else runs jobs, else by the server, whose progress is shown."""
    async with compose(settings, clock=SystemClock(), tokens=RandomTokens()) as app:
        await app.check_tenant()
        sync = app.use.sync
        if alone:
            await app.load_prices()
            work = sync.run_to_end(None, kind)
        else:
            work = _ended(sync, await sync.request(None, kind), app.clock)
        sentence, complete = console.outcome(await console.follow(work, sync.view, sys.stderr))
    click.echo(sentence, err=not complete)
    return console.DONE if complete else console.FAILED


async def _ended(sync: SyncDirectory, run: RunId, clock: Clock) -> SyncView:
    """Wait until the server has ended this run, and return how."""
    while True:
        seen = await sync.view(run)
        if seen is not None and seen.state != console.RUNNING:
            return seen
        await clock.sleep(_LOOK_AGAIN_S)


async def _scan(settings: Settings, file: Path, *, names: bool) -> int:
    """Read the tenant into a database that is deleted at the end, and write what was found."""
    async with compose(settings, clock=SystemClock(), tokens=RandomTokens(), with_groups=False) as app:
        await app.load_prices()
        work = app.use.sync.run_to_end(None)
        view = await console.follow(work, app.use.sync.view, sys.stderr)
        sentence, complete = console.outcome(view)
        if not complete:
            click.echo(sentence, err=True)
            return console.FAILED
        report = await app.use.scan.report(names=names)
        content = await asyncio.to_thread(HtmlDocuments().render_scan, report)
    console.finish_scan(report, content, file, sys.stdout)
    return console.DONE


async def _import_usage(settings: Settings, file: UsageFile, *, again: bool) -> int:
    """Take the usage of a file: a whole import replaces the one before it, of the same application."""
    async with compose(settings, clock=SystemClock(), tokens=RandomTokens(), speaks=False) as app:
        sha256 = await file.digest()
        if not again:
            await app.use.import_usage.check_new("csv", sha256)
        with console.reading_usage(file.path.name, sys.stderr) as told:
            done = await app.use.import_usage.take(
                "csv",
                file.path.name,
                file.read(),
                by=f"operator:{getpass.getuser()}",
                application=file.application,
                sha256=sha256,
                adds=file.adds,
                told=told,
            )
    rejects = file.rejects.path if file.rejects is not None and file.rejects.written else None
    skipped = console.Skipped(rows=file.skipped, problems=[str(one) for one in file.problems], file=rejects)
    console.finish_usage(done, sha256, skipped, sys.stdout)
    return console.DONE


async def _list_usage(settings: Settings) -> int:
    async with compose(settings, clock=SystemClock(), tokens=RandomTokens(), speaks=False) as app:
        console.list_usage(await app.use.import_usage.counting(), sys.stdout)
    return console.DONE


async def _chat(settings: Settings, words: Sequence[str]) -> int:
    clock, tokens = SystemClock(), RandomTokens()
    async with AsyncExitStack() as closing:
        # Only the checkup asks the chat services: nothing is sent from here.
        chats = await _chat_services(settings, clock, tokens, closing) if words[0] == DOCTOR.name else lambda *_: ()
        app = await closing.enter_async_context(
            compose(settings, clock=clock, tokens=tokens, transports=chats, speaks=False)
        )
        await app.check_tenant()
        files = await asyncio.to_thread(console.read_files, words)
        return await console.run(
            app.dispatch,
            console.as_typed(words),
            key=app.tokens.new_id(),
            terminal=console.this_terminal(),
            files=files,
        )


# The rehearsal: the same product, on a practice tenant whose calendar moves only when told.

PRACTICE_START: Final = datetime(2026, 11, 23, 9, tzinfo=UTC)  # a Monday morning, so that due dates read naturally
PRACTICE_HOME: Final = Path("build", "rehearsal")
_SOON_S: Final = 0.02  # a person watches: a job begins at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A rehearsal that is ready to be played: the tenant is read, the server is not open yet."""

    app: Application
    calendar: Calendar
    watch: Watch
    chats: web_conversations.Conversations
    tenant: PracticeTenant


@asynccontextmanager
async def rehearsing(
    *, people: int, seed: int, fault: str | None, apart: bool = False, soon_s: float = _SOON_S
) -> AsyncIterator[Stage]:
    """Start a practice tenant and the product on it, with a fresh database that this process holds alone.

    Nothing of the environment's settings and credentials is used.

    Args:
        people: How many accounts the tenant has.
        seed: The same seed makes the same tenant.
        fault: One of `FAULTS`, with which the writer lies.
        apart: Whether the tenant has a process of its own, which a large one is worth.
        soon_s: How soon a job begins, in seconds.
    """
    clock, tokens = SteppingClock(PRACTICE_START), RandomTokens()
    async with AsyncExitStack() as closing:
        start = PracticeTenant.start_apart if apart else PracticeTenant.start
        tenant = await start(people=people, seed=seed, now=PRACTICE_START, directory=PRACTICE_HOME)
        closing.push_async_callback(tenant.stop)
        control = PracticeControl(
            control_url=tenant.control_url, control_key=tenant.control_key, ca_file=tenant.ca_file
        )
        closing.push_async_callback(control.aclose)
        settings = await practice_settings(tenant, control, people=people, database=_practice_database())
        await asyncio.to_thread(_upgrade, settings)
        cast = tuple(_persona(each) for each in await control.personas())
        chats: list[web_conversations.Conversations] = []

        def transports(work: Work, _: graph.GraphConnection) -> Sequence[Transport]:
            people = SyncedPeople(work=work)
            chats.append(web_conversations.Conversations(cast, name_of=people.name_of, clock=clock, tokens=tokens))
            return (web_conversations.WebTransport(chats[0]),)

        app = await closing.enter_async_context(
            compose(
                settings,
                clock=clock,
                tokens=tokens,
                transports=transports,
                wrap_writer=lambda writer: FAULTS[fault](writer, control.other_holder) if fault else writer,
                polling_interval_s=soon_s,
            )
        )
        await app.use.prices.from_csv((await control.setup()).prices_csv, "practice tenant")
        await app.use.sync.run_to_end(None)
        await import_practice_usage(app, (await control.setup()).usage_csv, PRACTICE_HOME)
        await app.engine.start()
        await _greet(app, chats[0], cast, people)
        yield Stage(
            app=app,
            calendar=Calendar(
                tenant=control,
                step=clock.move_to,
                clock=clock,
                engine=app.engine,
                due=app.use.due,
                status=app.use.status,
            ),
            watch=Watch(tenant=control, spend=app.use.spend, status=app.use.status, clock=clock),
            chats=chats[0],
            tenant=tenant,
        )


async def import_practice_usage(app: Application, text: str, folder: Path) -> None:
    """Import the list of who used which application, as an admin would at the command line."""
    path = folder / "usage.csv"
    await asyncio.to_thread(path.write_text, text, encoding="utf-8")
    file = UsageFile(path=path, now=app.clock.now(), bad_rows=BadRows.REFUSE)
    await app.use.import_usage.take("csv", path.name, file.read(), by="practice tenant")


async def _greet(
    app: Application, chats: web_conversations.Conversations, cast: Sequence[web_watch.Persona], people: int
) -> None:
    """Put the first card into the chat of whom the page shows first."""
    first = cast[0]
    if chat := chats.of(first.person_id):
        chats.post(chat, welcome_card(await app.use.spend.report(), first.name, people))


async def practice_settings(
    tenant: PracticeTenant, control: PracticeControl, *, people: int, database: Path, **more: Any
) -> Settings:
    """Return the settings of an installation on a practice tenant: its people hold the roles, and everybody may be asked.

    Args:
        more: Further settings.
    """
    setup = await control.setup()
    return Settings(
        database_url=SecretStr(f"sqlite:///{database}"),
        writes="live",
        tenant_id=tenant.tenant_id,
        client_id=tenant.client_id,
        client_secret=SecretStr(tenant.client_secret),
        login_url=tenant.login_url,
        graph_url=tenant.graph_url,
        ca_file=tenant.ca_file,
        nexthink_url=tenant.nexthink_url,
        nexthink_login_url=tenant.nexthink_login_url,
        nexthink_client_id=tenant.nexthink_client_id,
        nexthink_client_secret=SecretStr(tenant.nexthink_client_secret),
        nexthink_query=tenant.nexthink_query,
        admins=frozenset({setup.role_groups["admins"]}),
        license_managers=frozenset({setup.role_groups["license_managers"]}),
        auditors=frozenset({setup.role_groups["auditors"]}),
        fallback_reviewer=setup.fallback_reviewer,
        # The limits of a real installation would refuse a campaign over a whole practice tenant, which is its purpose.
        limit_soft_seats=people,
        limit_soft_share=100,
        limit_hard_share=100,
        limit_hard_seats=people * 2,
        limit_hard_per_hour=people * 2,
        write_budget=1_000_000,  # the practice tenant takes as much as it gets, unless a test tells it otherwise
        sign_in_budget=1_000_000,
        receipt_budget=1_000_000,
        **({"changes_every": timedelta(0)} | more),  # the clock of a rehearsal leaps over days
    )


def _practice_database() -> Path:
    return PRACTICE_HOME / "reclaim.db"


def _persona(person: PracticePersona) -> web_watch.Persona:
    group = web_watch.Group(person.group)
    place = person.department or "No department"
    if person.reports:
        place = f"{place}, {count(person.reports, 'report')}"
    return web_watch.Persona(
        id=person.name.split()[0].lower(),
        person_id=person.id,
        name=person.name,
        line=person.role.replace("_", " ").capitalize() if group is web_watch.Group.RUN else place,
        group=group,
    )


async def _rehearse(*, people: int, seed: int, port: int, fault: str | None, auto: bool) -> int:
    """Open the browser chat on a practice tenant until SIGTERM or SIGINT, or play the story at it."""
    async with rehearsing(people=people, seed=seed, fault=fault) as stage:
        token = secrets.token_urlsafe(24)
        http = server.application(stage.app.ready)
        # The gate must know the port, so a free one is chosen before the routes are made.
        port = port or _free_port()
        web_routes.setup(
            http,
            web_chat.WebChat(
                conversations=stage.chats,
                dispatch=stage.app.dispatch,
                watch=stage.watch,
                clock=stage.calendar,
                tenant=f"Practice tenant, {count(people, 'person', 'people')}",
                zone=stage.app.settings.zone,
                run=stage.app.tokens.new_id(),
            ),
            gate=web_security.LaunchGate(token=token, port=port),
            sessions=web_security.PersonaSessions(stage.app.tokens),
        )
        async with server.serving(http, "127.0.0.1", port):
            address = f"http://127.0.0.1:{port}/?token={token}"
            click.echo(f"Open {address}\nData: {_practice_database()}")
            if auto:
                return await _play(address, stage.tenant)
            await server.until_stopped()
    return console.DONE


async def _play(address: str, tenant: PracticeTenant) -> int:
    """Play the story as a person would, and check the books."""
    try:
        agrees = await play(address, tenant, click.echo)
    except Unexpected as error:
        click.echo(f"The story stopped: {error}", err=True)
        return console.FAILED
    click.echo("Everything agrees." if agrees else "The lines marked ≠ differ.", err=not agrees)
    return console.DONE if agrees else console.FAILED


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


class Operations:
    """What the verbs of the command line do: settings and the database are looked at first, then the product is wired."""

    def rehearse(self, *, people: int, seed: int, port: int, auto: bool) -> int:
        """Rehearse on a fresh database; the one before it is deleted."""
        fault = os.environ.get(FAULT) or None
        if fault not in (None, *FAULTS):
            raise InvalidRequest(f"{FAULT} is one of {', '.join(FAULTS)}.")
        with _alone(Settings(database_url=SecretStr(f"sqlite:///{_practice_database()}"))):
            for left in PRACTICE_HOME.glob("reclaim.db*"):
                if left.suffix not in {".lock", ".pid"}:
                    left.unlink()
            return _run(_rehearse(people=people, seed=seed, port=port, fault=fault, auto=auto))

    def serve(self) -> int:
        """Serve, as the only process on a SQLite file."""
        settings = _settings(needs=installation.DIRECTORY)
        with _alone(settings):
            _check_tables(settings, may_upgrade=True)
            return _run(_serve(settings))

    def sync(self, kind: SyncKind) -> int:
        """Read the tenant here, or let the server that holds the SQLite file do it."""
        settings = _settings(needs=installation.DIRECTORY)
        try:
            with _alone(settings):
                _check_tables(settings, may_upgrade=True)
                return _run(_sync(settings, kind, alone=True))
        except DatabaseInUseError:
            return _run(_sync(settings, kind, alone=False))

    def scan(self, file: Path, *, prices: Path | None, names: bool) -> int:
        """Scan on a temporary database; nothing is left of it."""
        if not file.parent.is_dir():
            raise InvalidRequest(f"There is no folder {file.parent}. Make it first.")
        with tempfile.TemporaryDirectory(prefix="reclaim-scan-") as folder:
            settings = _settings(needs=installation.DIRECTORY).model_copy(
                update={
                    "database_url": SecretStr(f"sqlite:///{folder}/scan.db"),
                    "writes": "dry_run",
                    **({"prices": prices} if prices else {}),
                }
            )
            _upgrade(settings)
            return _run(_scan(settings, file, names=names))

    def import_usage(
        self, file: Path, *, application: str | None, rejects: Path | None, skip_bad_rows: bool, adds: bool, again: bool
    ) -> int:
        """Import a file into a database that is there already."""
        settings = _settings()
        _check_tables(settings, may_upgrade=False)
        usage_file = UsageFile(
            path=file,
            now=SystemClock().now(),
            application=application,
            bad_rows=BadRows.SKIP if skip_bad_rows else BadRows.REFUSE,
            adds=adds,
            rejects=Rejects(rejects or rejects_of(file)) if skip_bad_rows else None,
        )
        return _run(_import_usage(settings, usage_file, again=again))

    def list_usage(self) -> int:
        """List what was imported."""
        settings = _settings()
        _check_tables(settings, may_upgrade=False)
        return _run(_list_usage(settings))

    def upgrade(self) -> int:
        """Make or change the tables, as the only process on a SQLite file."""
        settings = _settings()
        with _alone(settings):
            _upgrade(settings)
        click.echo("The database has the tables of this version.")
        return console.DONE

    def teams_package(
        self, out: Path, *, bot_id: str, client_id: str | None, host: str, developer: str, version: str
    ) -> int:
        """Write the package, and say where it goes."""
        package = teams_manifest.build(
            bot_id=bot_id, client_id=client_id, host=host, developer=developer, version=version, verbs=COMMANDS
        )
        out.write_bytes(package)
        click.echo(f"{out} is written. Upload it in Teams admin center › Manage apps › Upload new app.")
        return console.DONE

    def slack_manifest(self, out: Path, *, host: str | None, socket_mode: bool, org_wide: bool) -> int:
        """Write the manifest, and say where it goes."""
        if (host is None) is not socket_mode:
            raise InvalidRequest("Give --host, the name under which Slack reaches this server, or --socket-mode.")
        out.write_bytes(slack_manifest.build(host=host, org_wide=org_wide))
        click.echo(f"{out} is written. Paste it at api.slack.com/apps › Create New App › From a manifest.")
        return console.DONE

    def say(self, words: Sequence[str]) -> int:
        """Carry out a verb of the chat; only the checkup needs the directory."""
        settings = _settings(needs=installation.DIRECTORY if words[0] == DOCTOR.name else ())
        _check_tables(settings, may_upgrade=False)
        return _run(_chat(settings, words))


def _settings(*, needs: Sequence[str] = ()) -> Settings:
    """Read the settings of an installation, which must not have a writer that lies.

    Raises:
        InvalidRequest: A fault of the rehearsal is set.
        SettingsError: With every problem.
    """
    if FAULT in os.environ:
        raise InvalidRequest(f"{FAULT} is set. It makes removals lie and is for `reclaim rehearse` only: unset it.")
    return installation.load(os.environ, needs=needs)


def _run(work: Coroutine[Any, Any, int]) -> int:
    # On Windows psycopg needs the selector loop.
    factory = asyncio.SelectorEventLoop if sys.platform == "win32" else None
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(work)


def main() -> None:
    """Run the command `reclaim`."""
    console.main(Operations())
