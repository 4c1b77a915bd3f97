"""The whole channel, put together: the way out first, since the core is wired with it, then the way in."""

from collections.abc import Callable
from dataclasses import dataclass

import httpx
from aiohttp import web

from bot.background import Background
from bot.guard import SeenRequests
from bot.inbound import Command, Dispatch
from bot.teams import CHANNEL
from bot.teams.chat import TeamsChat
from bot.teams.files import Uploads
from bot.teams.guard import Door, Guard, check_configured
from bot.teams.keys import SigningKeys
from bot.teams.pace import Pace
from bot.teams.route import TeamsRoute
from bot.teams.sdk import TeamsSdk, TokenSource
from bot.teams.transport import SERVICE_URL, Installer, TeamsTransport
from cards.view import CardView
from reclaim.domain.ids import PersonId
from reclaim.ports.storage import Work
from reclaim.ports.system import Clock, Tokens
from reclaim.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamsSettings:
    """What an installation says about Teams.

    Attributes:
        door: Who is let in.
        openid_url: Where the Bot Connector's keys are.
    """

    door: Door
    openid_url: str


def teams_settings(settings: Settings) -> TeamsSettings | None:
    """Return what an installation says about Teams, or None where it has none.

    Raises:
        ReclaimError: It is configured so that anybody could speak to the bot, or only in part.
    """
    given = [
        settings.teams_app_secret is not None,
        settings.teams_certificate is not None,
        settings.teams_managed_identity,
    ]
    if settings.teams_app_id is None and not any(given):
        return None
    check_configured(
        app_id=settings.teams_app_id,
        credentials=sum(given),
        development=settings.development,
        loopback=settings.listen_host in ("127.0.0.1", "::1", "localhost"),
    )
    door = Door(
        app_id=settings.teams_app_id or "",
        tenant_id=settings.teams_tenant_id or settings.tenant_id or "",
        service_hosts=settings.teams_service_hosts,
        development=settings.development,
    )
    return TeamsSettings(door=door, openid_url=settings.teams_openid_url)


class TeamsChannel:
    """One bot in one tenant.

    Args:
        token: The bot's own access token for the Bot Connector.
        http: For keys and uploads; follows no redirects.
        installer: None where the permission to install the app is not used.
        monotonic: Seconds that only grow.
        service_url: Where people are first spoken to, until Teams names another address.
    """

    def __init__(
        self,
        settings: TeamsSettings,
        *,
        work: Work,
        clock: Clock,
        tokens: Tokens,
        token: TokenSource,
        http: httpx.AsyncClient,
        installer: Installer | None,
        monotonic: Callable[[], float],
        service_url: str = SERVICE_URL,
    ) -> None:
        self._settings = settings
        self._work = work
        self._clock = clock
        self._tokens = tokens
        self._http = http
        self._monotonic = monotonic
        door = settings.door
        self._sdk = TeamsSdk(app_id=door.app_id, tenant_id=door.tenant_id, token=token)
        self.transport = TeamsTransport(
            connector=self._sdk,
            work=work,
            clock=clock,
            pace=Pace(monotonic=monotonic, sleep=clock.sleep),
            installer=installer,
            service_url=service_url,
        )

    def serve(self, app: web.Application, *, dispatch: Dispatch, seen: SeenRequests) -> None:
        """Add `POST /api/messages`, which speaks to `dispatch`."""

        async def welcome(person: PersonId) -> CardView:
            asked = Command(person_id=person, channel=CHANNEL, text="help", key=self._tokens.new_id())
            return (await dispatch.command(asked)).cards[0]

        background = Background()
        keys = SigningKeys(openid_url=self._settings.openid_url, client=self._http, monotonic=self._monotonic)
        chat = TeamsChat(
            dispatch=dispatch,
            post=self.transport,
            uploads=Uploads(self._http),
            background=background,
            work=self._work,
            clock=self._clock,
            welcome=welcome,
        )
        guard = Guard(self._settings.door, keys, self._clock)
        TeamsRoute(guard=guard, chat=chat, sdk=self._sdk, seen=seen, background=background).add_to(app)
