"""In which workspaces the app is, and with which token it speaks there. Tokens from the browser are stored encrypted."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog
from cryptography.fernet import Fernet, InvalidToken

from bot.slack.api import SlackApi
from reclaim.errors import DeliveryError, InvalidRequest
from reclaim.ports.storage import SlackInstallation, Work
from reclaim.ports.system import Clock

READ_AGAIN_S: Final = 30.0  # another replica may have installed or removed one

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """Where the app is installed.

    Attributes:
        id: Of the workspace, or of the organisation.
        token: In clear; never in a log.
    """

    id: str
    token: str
    bot_user: str
    org_wide: bool = False


class Installs:
    """Finds the token of a workspace.

    Args:
        api: To ask whose token the configured one is.
        bot_token: Of the one workspace of the settings, or None.
        key: RECLAIM_TOKEN_KEY, or None where nothing is installed from the browser.
        monotonic: Seconds that only grow.
    """

    def __init__(
        self,
        *,
        api: SlackApi,
        work: Work,
        clock: Clock,
        bot_token: str | None,
        key: str | None,
        monotonic: Callable[[], float],
    ) -> None:
        self._api = api
        self._work = work
        self._clock = clock
        self._bot_token = bot_token
        self._fernet = fernet(key) if key else None
        self._monotonic = monotonic
        self._lock = asyncio.Lock()
        self._own: Workspace | None = None
        self._found: dict[str, Workspace] = {}
        self._read_at: float | None = None

    async def find(self, team: str | None, enterprise: str | None = None) -> Workspace | None:
        """Return the installation that speaks for a workspace, or None: it is none of ours.

        Raises:
            DeliveryError: Slack did not say whose the configured token is.
        """
        for workspace in await self.all():
            if workspace.id == (enterprise if workspace.org_wide else team):
                return workspace
        return None

    async def all(self) -> list[Workspace]:
        """Return every installation, the configured one first.

        Raises:
            DeliveryError: As `find`.
        """
        now = self._monotonic()
        if self._read_at is None or now - self._read_at >= READ_AGAIN_S:
            async with self._lock:
                if self._read_at is None or now - self._read_at >= READ_AGAIN_S:
                    await self._read()
                    self._read_at = now
        own = [self._own] if self._own else []
        return own + [each for each in self._found.values() if self._own is None or each.id != self._own.id]

    async def put(self, workspace: Workspace, scopes: str) -> None:
        """Keep an installation from the browser.

        Raises:
            InvalidRequest: There is no key to encrypt its token with.
        """
        if self._fernet is None:
            raise InvalidRequest("RECLAIM_TOKEN_KEY is not set, so no token can be kept.")
        stored = SlackInstallation(
            id=workspace.id,
            org_wide=workspace.org_wide,
            bot_user=workspace.bot_user,
            token=self._fernet.encrypt(workspace.token.encode()).decode(),
            scopes=scopes,
            installed_at=self._clock.now(),
        )
        async with self._work.write() as unit:
            await unit.slack_installations.put(stored)
            await unit.commit()
        self._read_at = None

    async def remove(self, ref: str) -> None:
        """Forget an installation: the app was removed there, or its token revoked."""
        async with self._work.write() as unit:
            await unit.slack_installations.remove(ref)
            await unit.commit()
        if self._own is not None and self._own.id == ref:
            self._own = None
            log.warning("Slack no longer takes the token of the settings", team=ref)
        self._read_at = None

    async def check(self) -> None:
        """Ask Slack whether it takes our tokens: `auth.test` of each.

        Raises:
            DeliveryError: It does not take one of them, there is none, or it did not answer.
        """
        await self._read()
        held = [*self._found.values(), *filter(None, (self._own,))]
        if not held:
            raise DeliveryError(
                "The app is installed in no workspace yet. Open /slack/install to do it.", permanent=True
            )
        for workspace in held:
            await self._api.call(workspace.id, workspace.token, "auth.test", {})

    async def _read(self) -> None:
        async with self._work.read() as reading:
            stored = await reading.slack_installations.all()
        found = {}
        for each in stored:
            token = self._decrypted(each)
            if token is not None:
                found[each.id] = Workspace(id=each.id, token=token, bot_user=each.bot_user, org_wide=each.org_wide)
        self._found = found
        if self._bot_token is not None and self._own is None:
            self._own = await self._whose(self._bot_token)

    async def _whose(self, token: str) -> Workspace | None:
        said = await self._api.call("", token, "auth.test", {})
        team, bot_user, enterprise = said.get("team_id"), said.get("user_id"), said.get("enterprise_id")
        org_wide = said.get("is_enterprise_install") is True
        ref = enterprise if org_wide else team
        if not isinstance(ref, str) or not isinstance(bot_user, str):
            raise DeliveryError("Slack did not say whose RECLAIM_SLACK_BOT_TOKEN is.", permanent=True)
        return Workspace(id=ref, token=token, bot_user=bot_user, org_wide=org_wide)

    def _decrypted(self, stored: SlackInstallation) -> str | None:
        try:
            return self._fernet.decrypt(stored.token.encode()).decode() if self._fernet else None
        except InvalidToken:
            log.error("a Slack token cannot be read with this RECLAIM_TOKEN_KEY: install the app again", team=stored.id)
            return None


def fernet(key: str) -> Fernet:
    """Return what encrypts with a key.

    Raises:
        InvalidRequest: It is none.
    """
    try:
        return Fernet(key.strip())
    except ValueError as error:
        raise InvalidRequest("RECLAIM_TOKEN_KEY must be a key as made by: reclaim token-key") from error
