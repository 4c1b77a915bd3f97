"""The product in a process of its own, and the people who use it: they do what they would do, from wherever things stand.

One script for the process that dies and for the one that goes on: every act is repeated with its own key, as a person
clicks again who got no answer. Tenant and chat live in the parent, so what happened there outlives the process.
"""

import asyncio
import json
import traceback
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

import httpx
from pydantic import SecretStr

import app
from bot.inbound import Action, Sent
from bot.web.conversations import actions_of
from cards.view import CardView
from reclaim.connectors.clock import SteppingClock
from reclaim.connectors.engine import migrate
from reclaim.connectors.practice import PracticeControl
from reclaim.connectors.tokens import RandomTokens
from reclaim.domain.calendar import local_day
from reclaim.domain.campaign import Campaign, CampaignState, Scope, Silence, Strategy, WriteMode, reminder_times
from reclaim.domain.consent import RequestState
from reclaim.domain.consent_program import Value
from reclaim.domain.ids import CampaignId, PersonId
from reclaim.domain.review import Choice, KeepReason, ReviewItem
from reclaim.domain.roles import Actor, Role
from reclaim.domain.syncing import SyncState
from reclaim.errors import Conflict
from reclaim.services.start_campaign import CampaignDraft
from reclaim.settings import Settings
from storage.migrate import upgrade
from tests.crash.points import MortalTransport, MortalWriter, Points, mortal

CHANNEL = "chat"
CAMPAIGN = CampaignId("crash-campaign")
DAYS = 1
APPLICATION, APPLICATION_GROUP = "Acrobat Pro", "App Acrobat users"
STAGES = ("nothing", "read", "asked", "answered", "closed", "restored")


@dataclass(frozen=True, kw_only=True)
class Script:
    """What the process does.

    Attributes:
        until: The stage after which it stops in order.
        act: What somebody does besides launching and answering; see `Life.act`.
        at, nth: Where it dies; None: nowhere.
        now: Calendar time at its start.
        answers: Seat → choice, and who is asked; the others stay silent.
        returns: Who takes an application back that a program has taken from them.
    """

    until: str
    act: str | None
    at: str | None
    nth: int
    now: str
    database: str
    is_new: bool
    note: str
    result: str
    chat_url: str
    control_url: str
    control_key: str
    tenant_id: str
    client_id: str
    client_secret: str
    login_url: str
    graph_url: str
    ca_file: str
    owner: str
    second_admin: str
    fallback: str
    seats: Sequence[str]
    answers: dict[str, str]
    returns: str


@dataclass(frozen=True)
class Ended:
    """How it ended, for the parent."""

    now: str
    campaign: str | None


class ParentChat:
    """The chat channel in the parent: a card is posted as its kind and the buttons that it has."""

    channel = CHANNEL

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def check(self) -> None:
        return None

    async def reach(self, person: PersonId) -> str | None:
        return person

    async def send(self, conversation: str, card: CardView) -> Sent:
        return await self._post("/send", conversation, None, card)

    async def update(self, conversation: str, external_id: str, card: CardView) -> Sent:
        return await self._post("/update", conversation, external_id, card)

    async def _post(self, path: str, conversation: str, external_id: str | None, card: CardView) -> Sent:
        body = {
            "conversation": conversation,
            "external_id": external_id,
            "kind": card.kind,
            "buttons": sorted({action.verb for action in actions_of(card)}),
        }
        answer = await self._http.post(path, json=body)
        return Sent(external_id=answer.raise_for_status().json()["external_id"], payload_sha256="0" * 64)


class Life:
    """The people around one campaign."""

    def __init__(
        self,
        script: Script,
        points: Points,
        product: app.Application,
        clock: SteppingClock,
        tenant: PracticeControl,
        http: httpx.AsyncClient,
    ) -> None:
        self._script = script
        self._points = points
        self._product = product
        self._use = product.use
        self._clock = clock
        self._tenant = tenant
        self._http = http
        self._owner = _admin(script.owner)
        self._second = _admin(script.second_admin)

    async def go_on(self) -> None:
        """Do what is left to do, up to the stage that the script names."""
        wanted = STAGES.index(self._script.until)
        read = await self._use.sync.view()
        if wanted >= STAGES.index("read") and (read is None or read.state == SyncState.RUNNING):
            await self._use.sync.run_to_end(None)
        await self._product.engine.start()
        if wanted >= STAGES.index("asked"):
            await self._launch()
            await self._product.engine.idle()
        if self._script.act is not None:
            await self.act(self._script.act)
        if wanted >= STAGES.index("answered"):
            await self._answer()
            await self._product.engine.idle()
        if wanted >= STAGES.index("closed"):
            await self._wait_for_the_end()
        if wanted >= STAGES.index("restored"):
            await self._restore()

    async def act(self, act: str) -> None:
        """Do what the case is about. Each may have been done already, by the process that died."""
        with suppress(Conflict), self._points.during(act):
            match act:
                case "sync":
                    await self._use.sync.request(self._owner.id)
                case "remind":
                    campaign = await self._campaign()
                    await self._move(reminder_times(campaign, timedelta(days=2))[0])
                    await self._product.scheduler.tick()
                case "close_early":
                    await self._use.close.early(self._owner, CAMPAIGN)
                case "pass_on":
                    item = (await self._items())[0]
                    reviewer = _assignee(item)
                    to = PersonId(self._script.second_admin)
                    await self._use.delegate.delegate(reviewer, [item.id], to, "knows the team", idem_key="pass-on")
                case "freeze":
                    await self._use.freeze.freeze(self._owner, "something is wrong")
                case "take_back":
                    await self._take_application()
                    await self._give_it_back()
                case _:
                    raise ValueError(act)
        await self._product.engine.idle()

    async def _launch(self) -> None:
        draft = CampaignDraft(
            ref=CAMPAIGN,
            name="Crash",
            scope=Scope(days=90, seat_ids=tuple(self._script.seats)),
            strategy=Strategy.MANAGER,
            reviewer_id=None,
            fallback_id=None,
            due=local_day(self._clock.now() + timedelta(days=DAYS), "UTC"),
            zone="UTC",
            silence=Silence.KEEP,
            mode=WriteMode.LIVE,
            by=self._owner.id,
        )
        with self._points.during("launch"), suppress(Conflict):
            await self._use.start.put_draft(self._owner, draft)
            await self._use.start.launch(self._owner, draft.ref)

    async def _answer(self) -> None:
        """Answer as the script says; the answer is told to the parent once the product has acknowledged it."""
        for item in await self._items():
            choice = self._script.answers.get(item.seat_id)
            if choice is None or item.outcome is not None or (await self._campaign()).state is not CampaignState.OPEN:
                continue
            item = next(one for one in await self._items() if one.id == item.id)
            with self._points.during("decide"):
                await self._use.decide.decide(
                    _assignee(item),
                    [item.id],
                    Choice(choice),
                    idem_key=f"click-{item.seat_id}",
                    bulk=False,
                    reason=KeepReason.CURRENT_WORK if choice == Choice.KEEP else None,
                )
            await self._http.post("/acknowledged", json={"item": item.id, "choice": choice})

    async def _wait_for_the_end(self) -> None:
        """Let time pass, with a stop wherever something is due; writes that are frozen are let go."""
        last = self._clock.now() + timedelta(days=30)
        while (await self._campaign()).state is not CampaignState.CLOSED:
            await self._product.scheduler.tick()
            await self._product.engine.idle()
            await self._resume()
            due = await self._use.due.next_due(last)
            assert due is not None, "nothing is due, and the campaign is not closed"
            await self._move(due)
        await self._product.engine.idle()
        await self._product.scheduler.tick()
        await self._product.engine.idle()

    async def _resume(self) -> None:
        if (await self._campaign()).state is not CampaignState.PAUSED:
            return
        with self._points.during("resume"):
            view = await self._use.freeze.view()
            if view.resume_ref is None:
                view = await self._use.freeze.ask_resume(self._owner, "all is well again")
            await self._use.freeze.confirm_resume(self._second, view.resume_ref or "")
        await self._product.engine.idle()

    async def _restore(self) -> None:
        """Undo all that was removed, and let time pass until no seat is on its way back any more."""
        with self._points.during("undo"), suppress(Conflict):
            await self._use.restores.undo_campaign(self._owner, CAMPAIGN)
        await self._pass_time_while(self._seats_come_back)

    async def _seats_come_back(self) -> bool:
        return bool((await self._use.restores.view(CAMPAIGN)).restoring)

    async def click_on_leftovers(self) -> None:
        """Press Revoke on every list that still offers it in the chat: nothing may come of it."""
        items = await self._items()
        for message in (await self._http.get("/messages")).json():
            if "wave.revoke" in message["buttons"]:
                person = PersonId(message["conversation"])
                click = Action(
                    person_id=person,
                    channel=CHANNEL,
                    verb="wave.revoke",
                    ref=CAMPAIGN,
                    key=f"late-{message['external_id']}",
                    inputs={f"t.{item.id}": "true" for item in items if item.assignee_id == person},
                    message_id=message["external_id"],
                )
                reply = await self._product.dispatch.action(click)
                assert reply.replace is not None, f"a click on an old card gets the present state, not “{reply.toast}”"
                assert not any(action.verb == "wave.revoke" for action in actions_of(reply.replace))

    async def _take_application(self) -> None:
        """Run a program that takes the application from who does not use it, until nobody is on their way out."""
        programs = await self._use.read_consent.programs()
        if not programs:
            usage = (await self._tenant.setup()).usage_csv
            await app.import_practice_usage(self._product, usage, Path(self._script.note).parent)
            terms: dict[str, Value] = {"name": APPLICATION, "application": APPLICATION, "source": "csv", "ask": False}
            await self._use.programs.make(self._owner, APPLICATION_GROUP, terms)
        (view,) = await self._use.read_consent.programs()
        async with self._product.work.read() as unit:
            runs = await unit.consents.runs_of(view.program.id)
        if not runs:
            await self._use.run_consent.start(self._owner.id, view.program.id)
        await self._pass_time_while(self._members_move)

    async def _give_it_back(self) -> None:
        """Who the script names takes the application back, once, though everybody has lost it."""
        async with self._product.work.read() as unit:
            (program,) = await unit.consents.programs()
            requests = await unit.consents.all_of(program.id)
        for request in requests:
            if request.person_id == self._script.returns and request.state is RequestState.REMOVED:
                holder = Actor(id=request.person_id, channel=CHANNEL)
                with suppress(Conflict):  # the process that died has asked for it
                    await self._use.answer_consent.give_back(holder, request.id)
        await self._pass_time_while(self._members_move)

    async def _members_move(self) -> bool:
        async with self._product.work.read() as unit:
            (program,) = await unit.consents.programs()
            changes = await unit.consents.changes_of_program(program.id)
            return bool(await unit.consents.running()) or any(change.running for change in changes)

    async def _pass_time_while(self, going_on: Callable[[], Awaitable[bool]]) -> None:
        """Let up to a week pass, with a stop wherever something is due."""
        last = self._clock.now() + timedelta(days=7)
        await self._product.engine.idle()
        while await going_on():
            due = await self._use.due.next_due(last)
            assert due is not None, f"nothing is due, and it goes on: {going_on.__name__}"
            await self._move(due)
            await self._product.scheduler.tick()
            await self._product.engine.idle()

    async def _campaign(self) -> Campaign:
        async with self._product.work.read() as unit:
            found = await unit.campaigns.get(CAMPAIGN)
        assert found is not None
        return found

    async def _items(self) -> list[ReviewItem]:
        async with self._product.work.read() as unit:
            return sorted(await unit.items.of_campaign(CAMPAIGN), key=lambda item: item.seat_id)

    async def _move(self, to: datetime) -> None:
        if to > self._clock.now():
            self._clock.move_to(to)
            await self._tenant.move_clock(to)


def _admin(ref: str) -> Actor:
    return Actor(id=PersonId(ref), channel=CHANNEL, roles=frozenset({Role.ADMIN, Role.EMPLOYEE}))


def _assignee(item: ReviewItem) -> Actor:
    assert item.assignee_id is not None
    return Actor(id=PersonId(item.assignee_id), channel=CHANNEL)


def _settings(script: Script) -> Settings:
    return Settings(
        database_url=SecretStr(script.database),
        writes="live",
        tenant_id=script.tenant_id,
        client_id=script.client_id,
        client_secret=SecretStr(script.client_secret),
        login_url=script.login_url,
        graph_url=script.graph_url,
        ca_file=Path(script.ca_file),
        admins=frozenset({script.owner, script.second_admin}),
        fallback_reviewer=script.fallback,
        changes_every=timedelta(0),  # days pass here, with a stop wherever something is due: not every hour of them
        sign_in_budget=1_000_000,  # nobody throttles here, and a real minute is long
    )


async def live(script: Script) -> Ended:
    """Play the script, or die on the way."""
    points = Points(script.at, script.nth, Path(script.note))
    clock = SteppingClock(datetime.fromisoformat(script.now))
    if script.is_new:
        upgrade(script.database)
        await asyncio.to_thread(migrate, script.database)
    tenant = PracticeControl(
        control_url=script.control_url, control_key=script.control_key, ca_file=Path(script.ca_file)
    )
    async with httpx.AsyncClient(base_url=script.chat_url, trust_env=False) as http:
        with mortal(points):
            async with app.compose(
                _settings(script),
                clock=clock,
                tokens=RandomTokens(),
                transports=lambda *_: (MortalTransport(ParentChat(http), points),),
                wrap_writer=lambda writer: MortalWriter(writer, points),
                polling_interval_s=0.02,
            ) as product:
                life = Life(script, points, product, clock, tenant, http)
                await life.go_on()
                if STAGES.index(script.until) >= STAGES.index("closed"):
                    await life.click_on_leftovers()
        await tenant.aclose()
    return Ended(now=clock.now().isoformat(), campaign=CAMPAIGN)


def run(script: Script) -> None:
    """The whole process. What goes wrong in it is left for the parent to show."""
    try:
        ended = asyncio.run(live(script))
    except Exception:
        Path(script.result).write_text(traceback.format_exc())
        raise
    Path(script.result).write_text(json.dumps(asdict(ended)))
