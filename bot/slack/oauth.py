"""Installing from the browser: `GET /slack/install` and `GET /slack/oauth_redirect`.

The state is an encrypted nonce with its time, held in a cookie as well and good for one use within ten minutes: who follows a
link that somebody else began cannot make us keep a token. https://docs.slack.dev/authentication/installing-with-oauth
"""

import hmac
import html
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from urllib.parse import urlencode

import structlog
from aiohttp import web
from cryptography.fernet import Fernet, InvalidToken

from bot.slack.api import SlackApi
from bot.slack.installs import Installs, Workspace
from reclaim.errors import ReclaimError
from reclaim.ports.system import Clock, Tokens

AUTHORIZE_URL: Final = "https://slack.com/oauth/v2/authorize"
INSTALL, REDIRECT = "/slack/install", "/slack/oauth_redirect"
COOKIE: Final = "reclaim-slack-state"
STATE_S: Final = 600
_MAX_CODE: Final = 500

log = structlog.get_logger(__name__)

FirstTime = Callable[[str], Awaitable[bool]]


class SlackOAuth:
    """The two pages.

    Args:
        scopes: What the app asks for.
        redirect_uri: Where Slack sends the browser back to, or None where the app's settings at Slack say it.
        first_time: Whether a state was not used yet.
    """

    def __init__(
        self,
        *,
        api: SlackApi,
        installs: Installs,
        fernet: Fernet,
        client_id: str,
        client_secret: str,
        scopes: tuple[str, ...],
        clock: Clock,
        tokens: Tokens,
        first_time: FirstTime,
        authorize_url: str = AUTHORIZE_URL,
        redirect_uri: str | None = None,
    ) -> None:
        self._api = api
        self._installs = installs
        self._fernet = fernet
        self._client_id = client_id
        self._client_secret = client_secret
        self._scopes = scopes
        self._clock = clock
        self._tokens = tokens
        self._first_time = first_time
        self._authorize_url = authorize_url
        self._redirect_uri = redirect_uri

    def add_to(self, app: web.Application) -> None:
        """Serve the two pages."""
        app.router.add_get(INSTALL, self.begin)
        app.router.add_get(REDIRECT, self.finish)

    async def begin(self, _: web.Request) -> web.Response:
        """Send the browser to Slack."""
        said = json.dumps({"n": self._tokens.new_id(), "t": self._clock.now().timestamp()})
        state = self._fernet.encrypt(said.encode()).decode()
        asked = {"client_id": self._client_id, "scope": ",".join(self._scopes), "state": state}
        if self._redirect_uri:
            asked["redirect_uri"] = self._redirect_uri
        answer = web.Response(status=302, headers={"Location": f"{self._authorize_url}?{urlencode(asked)}"})
        answer.set_cookie(COOKIE, state, max_age=STATE_S, httponly=True, secure=True, samesite="Lax", path="/slack")
        return answer

    async def finish(self, request: web.Request) -> web.Response:
        """Take the code that Slack gave, and keep the token that it is worth."""
        query = request.query
        if query.get("error"):
            return _page(200, "Not installed", "The installation was cancelled at Slack. Nothing was changed.")
        state, cookie, code = query.get("state", ""), request.cookies.get(COOKIE, ""), query.get("code", "")
        if not await self._is_ours(state, cookie):
            # An org admin who installs from Slack's own pages comes without a state: they begin here once more.
            return _page(
                400, "Not installed", f"This link was not begun here, or it is too old. Begin again at {INSTALL}."
            )
        if not 0 < len(code) <= _MAX_CODE:
            return _page(400, "Not installed", "Slack sent no code. Begin again.")
        try:
            workspace, scopes = await self._exchange(code)
            await self._installs.put(workspace, scopes)
        except ReclaimError as error:
            log.warning("the app could not be installed", error=error.code)
            return _page(502, "Not installed", "Slack did not give us a token for this. Begin again in a minute.")
        log.info("the app was installed", team=workspace.id, org_wide=workspace.org_wide)
        return _page(200, "Reclaim is installed", "You can close this window. In Slack, type /reclaim help.")

    async def _is_ours(self, state: str, cookie: str) -> bool:
        if not state or not hmac.compare_digest(state.encode(errors="replace"), cookie.encode(errors="replace")):
            return False
        try:
            said = json.loads(self._fernet.decrypt(state.encode(errors="replace")))
        except (InvalidToken, ValueError):
            return False
        age = self._clock.now().timestamp() - float(said["t"])
        return 0 <= age <= STATE_S and await self._first_time(f"s:state:{said['n']}")

    async def _exchange(self, code: str) -> tuple[Workspace, str]:
        asked = {
            "client_id": self._client_id,
            "client_secret": self._client_secret,
            "code": code,
            "redirect_uri": self._redirect_uri,
        }
        said = await self._api.call("", None, "oauth.v2.access", asked)
        org_wide = said.get("is_enterprise_install") is True
        where = said.get("enterprise") if org_wide else said.get("team")
        ref = where.get("id") if isinstance(where, Mapping) else None
        token, bot_user, scopes = said.get("access_token"), said.get("bot_user_id"), said.get("scope")
        if not (isinstance(ref, str) and isinstance(token, str) and isinstance(bot_user, str)):
            raise ReclaimError("Slack's answer holds no bot token.")
        workspace = Workspace(id=ref, token=token, bot_user=bot_user, org_wide=org_wide)
        return workspace, scopes if isinstance(scopes, str) else ""


def _page(status: int, title: str, text: str) -> web.Response:
    shown = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f"<h1>{html.escape(title)}</h1><p>{html.escape(text)}</p></html>"
    )
    answer = web.Response(status=status, text=shown, content_type="text/html")
    answer.headers["Content-Security-Policy"] = "default-src 'none'"
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.del_cookie(COOKIE, path="/slack")
    return answer
