"""The baseline of the Teams measures: a bare botbuilder echo bot that checks the same token and replies nothing.

`python -m benchmarks.teams_bare PORT APP_ID TENANT_ID OPENID_URL`. The msrest line that the product has is here too: without
it the SDK alone would make the baseline six times slower.
"""

import sys
from types import SimpleNamespace

import msrest.universal_http.requests as msrest_requests
from aiohttp import web
from botbuilder.core import TurnContext
from botbuilder.integration.aiohttp import CloudAdapter, ConfigurationBotFrameworkAuthentication
from botbuilder.schema import Activity
from botframework.connector.auth import ChannelValidation


def main(port: int, app_id: str, tenant_id: str, openid_url: str) -> None:
    """Serve until the process is ended."""
    msrest_requests.ClientRetryPolicy.safe_codes = frozenset(  # type: ignore[assignment]  # a set serves as well
        msrest_requests.ClientRetryPolicy.safe_codes
    )
    ChannelValidation.open_id_metadata_endpoint = openid_url
    configuration = SimpleNamespace(APP_TYPE="SingleTenant", APP_ID=app_id, APP_PASSWORD="x", APP_TENANTID=tenant_id)  # noqa: S106 - nothing is sent
    adapter = CloudAdapter(ConfigurationBotFrameworkAuthentication(configuration))
    heard = 0

    async def turn(context: TurnContext) -> None:
        nonlocal heard
        heard += bool(context.activity.text)

    async def messages(request: web.Request) -> web.Response:
        activity = Activity().deserialize(await request.json())
        await adapter.process_activity(request.headers.get("Authorization", ""), activity, turn)
        return web.Response(status=202)

    async def count(_: web.Request) -> web.Response:
        return web.json_response({"heard": heard})

    app = web.Application()
    app.router.add_post("/api/messages", messages)
    app.router.add_get("/readyz", count)
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=lambda *_: None)


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:5])
