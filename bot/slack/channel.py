"""The whole channel, put together: the way out first, since the core is wired with it, then the way in."""

import asyncio
import contextlib
import csv
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass

import aiohttp
from aiohttp import web

from bot.background import Background
from bot.guard import SeenRequests
from bot.inbound import Dispatch
from bot.slack.api import SlackApi
from bot.slack.bolt import Bolt
from bot.slack.chat import ANSWER_WITHIN_S, Mirror, SlackChat
from bot.slack.guard import Guard
from bot.slack.installs import Installs, fernet
from bot.slack.manifest import SCOPES
from bot.slack.oauth import AUTHORIZE_URL, SlackOAuth
from bot.slack.pace import Pace
from bot.slack.people import SlackPeople
from bot.slack.route import SlackRoute
from bot.slack.transport import SlackTransport
from reclaim.domain.ids import PersonId
from reclaim.errors import InvalidRequest
from reclaim.ports.storage import Work
from reclaim.ports.system import Clock, Tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackSettings:
    """What an installation says about Slack.

    Attributes:
        signing_secret: None where only Socket Mode is used.
        app_token: For Socket Mode, else None.
        bot_token: Of one workspace, or None.
        client_id, client_secret, token_key: For installations from the browser, else None.
        api_url: Ends in "/api/".
        by_hand: Slack user id or mail address (lower case) → object id.
        limits: Calls a minute by method, None for Slack's own.
    """

    api_url: str
    signing_secret: str | None = None
    app_token: str | None = None
    bot_token: str | None = None
    client_id: str | None = None
    client_secret: str | None = None
    token_key: str | None = None
    by_hand: Mapping[str, PersonId] | None = None
    limits: dict[str, int] | None = None
    within_s: float = ANSWER_WITHIN_S


class SlackChannel:
    """The app in one or several workspaces of one tenant.

    Args:
        http: One session for all calls to Slack.
        monotonic: Seconds that only grow.
    """

    def __init__(
        self,
        settings: SlackSettings,
        *,
        work: Work,
        clock: Clock,
        tokens: Tokens,
        http: aiohttp.ClientSession,
        monotonic: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._tokens = tokens
        pace = Pace(monotonic=monotonic, sleep=clock.sleep, limits=settings.limits)
        self._api = SlackApi(http=http, base_url=settings.api_url, pace=pace, sleep=clock.sleep)
        self.installs = Installs(
            api=self._api,
            work=work,
            clock=clock,
            bot_token=settings.bot_token,
            key=settings.token_key,
            monotonic=monotonic,
        )
        people = SlackPeople(
            api=self._api,
            installs=self.installs,
            work=work,
            clock=clock,
            by_hand=settings.by_hand or {},
            monotonic=monotonic,
        )
        self._people = people
        self.background = Background()
        self.transport = SlackTransport(api=self._api, installs=self.installs, people=people)

    def serve(
        self, app: web.Application, *, dispatch: Dispatch, seen: SeenRequests, mirror: Mirror | None = None
    ) -> None:
        """Add the routes that speak to `dispatch`, and what Socket Mode needs."""
        settings = self._settings
        background = self.background
        chat = SlackChat(
            dispatch=dispatch,
            transport=self.transport,
            api=self._api,
            installs=self.installs,
            people=self._people,
            background=background,
            mirror=mirror,
            within_s=settings.within_s,
        )
        bolt = Bolt(client=self._api.client(), installs=self.installs, chat=chat, first_time=seen.first_time)
        if settings.signing_secret is not None:
            guard = Guard(settings.signing_secret, self._clock)
            SlackRoute(guard=guard, bolt=bolt, installs=self.installs, background=background).add_to(app)
        if settings.app_token is not None:
            _SocketMode(bolt, settings.app_token, settings.api_url, background).add_to(app)
        if settings.client_id and settings.client_secret and settings.token_key:
            SlackOAuth(
                api=self._api,
                installs=self.installs,
                fernet=fernet(settings.token_key),
                client_id=settings.client_id,
                client_secret=settings.client_secret,
                scopes=SCOPES,
                clock=self._clock,
                tokens=self._tokens,
                first_time=seen.first_time,
                authorize_url=_authorize_url(settings.api_url),
            ).add_to(app)


class _SocketMode:
    """Holds the web socket as long as the server serves; Slack being away at the start only delays it."""

    def __init__(self, bolt: Bolt, app_token: str, api_url: str, background: Background) -> None:
        self._bolt = bolt
        self._app_token = app_token
        self._api_url = api_url
        self._background = background
        self._close: Callable[[], Awaitable[None]] | None = None

    def add_to(self, app: web.Application) -> None:
        app.cleanup_ctx.append(self._held)

    async def _held(self, _: web.Application) -> AsyncIterator[None]:
        connecting = asyncio.create_task(self._connect())
        yield
        connecting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await connecting
        if self._close is not None:
            await self._close()
        await self._background.finish()

    async def _connect(self) -> None:
        self._close = await self._bolt.connect(self._app_token, self._api_url)


def read_by_hand(text: str, name: str) -> dict[str, PersonId]:
    """Read the list of people whom an admin matched: `slack,person` with a Slack user id or mail, and an object id.

    Raises:
        InvalidRequest: A line cannot be used; the message names it.
    """
    rows = csv.DictReader(io.StringIO(text.lstrip("\ufeff")))
    if rows.fieldnames is None or {"slack", "person"} - set(rows.fieldnames):
        raise InvalidRequest(f"{name} must begin with the line: slack,person")
    found: dict[str, PersonId] = {}
    for number, row in enumerate(rows, start=2):
        slack, person = (row["slack"] or "").strip().lower(), (row["person"] or "").strip().lower()
        if not slack or not person or not all(c.isalnum() or c in "-_" for c in person):
            raise InvalidRequest(
                f"Line {number} of {name} must hold a Slack user id or mail address, and an object id."
            )
        if found.setdefault(slack, PersonId(person)) != person:
            raise InvalidRequest(f"Line {number} of {name} names {slack} a second time.")
    return found


def _authorize_url(api_url: str) -> str:
    """Return the page that asks the person, at Slack or at what stands in for it."""
    base = api_url.removesuffix("api/")
    return AUTHORIZE_URL if base == "https://slack.com/" else f"{base}oauth/v2/authorize"
