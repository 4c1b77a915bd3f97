"""`POST /slack/events`: the guard on the raw bytes, then the SDK. Nothing that a sender wrote enters a log line.

Commands, interactions and events share this address.
"""

from collections.abc import Mapping
from typing import Final

import structlog
from aiohttp import web

from bot.background import Background
from bot.guard import Refused
from bot.slack import clicks
from bot.slack.bolt import Bolt
from bot.slack.guard import Guard, Incoming
from bot.slack.installs import Installs
from reclaim.errors import InvalidRequest, ReclaimError

PATH: Final = "/slack/events"

log = structlog.get_logger(__name__)


class SlackRoute:
    """Takes Slack's requests."""

    def __init__(self, *, guard: Guard, bolt: Bolt, installs: Installs, background: Background) -> None:
        self._guard = guard
        self._bolt = bolt
        self._installs = installs
        self._background = background

    def add_to(self, app: web.Application) -> None:
        """Serve this route, and finish what it began when the server stops."""
        app.router.add_post(PATH, self.answer)
        app.on_shutdown.append(self._finish)

    async def answer(self, request: web.Request) -> web.Response:
        """Answer one request."""
        raw = await request.read()  # at most the application's client_max_size, else aiohttp answers 413
        try:
            incoming = self._guard.vet(
                content_type=request.content_type if "Content-Type" in request.headers else "",
                timestamp=request.headers.get("X-Slack-Request-Timestamp", ""),
                signature=request.headers.get("X-Slack-Signature", ""),
                raw=raw,
            )
            await self._check_ours(incoming)
        except Refused as refused:
            log.info("a request of Slack was refused", status=refused.status, cause=refused.cause)
            # Without it Slack would send an event three times more.
            return web.Response(status=refused.status, headers={"X-Slack-No-Retry": "1"})
        except ReclaimError as error:
            log.warning("a request of Slack cannot be taken now", error=error.code)
            return web.Response(status=503)
        status, kind, body = await self._bolt.answer(incoming.text, {"content-type": request.headers["Content-Type"]})
        return web.Response(status=status, text=body, content_type=kind.partition(";")[0] or "text/plain")

    async def _check_ours(self, incoming: Incoming) -> None:
        """Refuse a workspace in which the app is not installed; the address itself is proven without one."""
        body = incoming.body
        if body.get("type") in ("url_verification", "app_rate_limited"):
            return
        try:
            team, enterprise = _workspace_of(body)
        except InvalidRequest as error:
            raise Refused(400, "sender") from error
        if await self._installs.find(team, enterprise) is None:
            raise Refused(403, "workspace")

    async def _finish(self, _: web.Application) -> None:
        await self._background.finish()


def _workspace_of(body: Mapping[str, object]) -> tuple[str, str | None]:
    """Return workspace and organisation of an event, a command or an interaction."""
    if body.get("type") == "event_callback":
        team, enterprise = body.get("team_id"), body.get("enterprise_id")
        if not isinstance(team, str) or not isinstance(body.get("event"), Mapping):
            raise InvalidRequest("The event names no workspace.")
        return team, enterprise if isinstance(enterprise, str) else None
    sender = clicks.who_of(body)
    return sender.team, sender.enterprise
