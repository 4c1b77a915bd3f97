"""The baseline of the Slack measures: a bare slack-bolt app, mounted and set as ours is, that acknowledges and does nothing.

`python -m benchmarks.slack_bare PORT SIGNING_SECRET`.
"""

import re
import sys

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.authorization import AuthorizeResult


def main(port: int, signing_secret: str) -> None:
    """Serve until the process is ended."""
    heard = 0

    async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_user_id="U0BOT", bot_token="xoxb-x")  # noqa: S106 - nothing is sent

    bolt = AsyncApp(signing_secret=signing_secret, authorize=authorize, process_before_response=True)

    @bolt.action(re.compile(".*"))
    async def click(ack: AsyncAck) -> None:
        nonlocal heard
        heard += 1
        await ack()

    async def events(request: web.Request) -> web.Response:
        return await to_aiohttp_response(await bolt.async_dispatch(await to_bolt_request(request)))

    async def count(_: web.Request) -> web.Response:
        return web.json_response({"heard": heard})

    app = web.Application()
    app.router.add_post("/slack/events", events)
    app.router.add_get("/readyz", count)
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=lambda *_: None)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
