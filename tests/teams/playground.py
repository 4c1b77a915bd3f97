"""What Microsoft's Agents Playground needs to speak to Reclaim on this machine: `python -m tests.teams.playground`.

Starts a practice tenant, reads it, serves Reclaim with its whole token check on, and stands between the two as the Bot
Connector: it signs each activity with a key that it publishes itself, because the Playground sends no token offline.
See docs/teams.md. Stops with Ctrl-C.
"""

import argparse
import asyncio
import json
import os
import ssl
import sys
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from aiohttp import ClientSession, web

from rehearsal import PracticeTenant
from tests.teams.key_server import KeyServer, token

RECLAIM, PROXY, PLAYGROUND = 3978, 3979, 56150
FOLDER = Path("build", "playground")


def settings(tenant: dict[str, str], setup: dict[str, Any]) -> dict[str, str]:
    """Return the environment of an installation on the practice tenant."""
    groups = setup["role_groups"]
    return {
        "RECLAIM_DATABASE_URL": f"sqlite:///{FOLDER.resolve() / 'reclaim.db'}",
        "RECLAIM_WRITES": "live",
        "RECLAIM_TENANT_ID": tenant["tenant_id"],
        "RECLAIM_CLIENT_ID": tenant["client_id"],
        "RECLAIM_CLIENT_SECRET": tenant["client_secret"],
        "RECLAIM_LOGIN_URL": tenant["login_url"],
        "RECLAIM_GRAPH_URL": tenant["graph_url"],
        "RECLAIM_CA_FILE": tenant["ca_file"],
        "RECLAIM_ADMINS": groups["admins"],
        "RECLAIM_LICENSE_MANAGERS": groups["license_managers"],
        "RECLAIM_AUDITORS": groups["auditors"],
        "RECLAIM_FALLBACK_REVIEWER": setup["fallback_reviewer"],
        "RECLAIM_LIMIT_SOFT_SEATS": "1000",
        "RECLAIM_LIMIT_HARD_SEATS": "1000",
        "RECLAIM_DEVELOPMENT": "true",
        "RECLAIM_TEAMS_APP_ID": tenant["client_id"],
        "RECLAIM_TEAMS_APP_SECRET": tenant["client_secret"],
        "RECLAIM_TEAMS_OPENID_URL": f"http://127.0.0.1:{PROXY}/.well-known/openidconfiguration",
    }


def configuration(tenant: dict[str, str], people: list[dict[str, Any]], me: str) -> str:
    """Return the Playground's own file: the person you play, and five others of the practice tenant."""
    first = next((each for each in people if each["name"].lower().startswith(me.lower())), people[0])
    others = [each for each in people if each is not first][:5]

    def user(person: dict[str, Any]) -> str:
        given, _, surname = person["name"].partition(" ")
        # The Playground resolves no Entra object id, so the object id is the user's own id there.
        return json.dumps(
            {
                "id": person["id"],
                "name": person["name"],
                "userPrincipleName": f"{given}@contoso.example",
                "aadObjectId": person["id"],
                "givenName": given,
                "surname": surname,
                "email": f"{given}@contoso.example",
            }
        )

    return "\n".join(
        [
            'version: "0.1.1"',
            f"tenantId: {tenant['tenant_id']}",
            f"bot: {{id: {tenant['client_id']}, name: Reclaim}}",
            f"currentUser: {user(first)}",
            "users:",
            *(f"  - {user(each)}" for each in others),
            "personalChat: {id: personal-chat-id}",
            "groupChat: {id: group-chat-id, name: License review}",
            "team:",
            "  id: team-id",
            "  name: Licenses",
            "  aadGroupId: 00000000-0000-0000-0000-000000000031",
            "  channels: [{id: channel-general, name: General}]",
            "",
        ]
    )


async def sign(request: web.Request) -> web.Response:
    """Pass an activity on as the Bot Connector would."""
    body, session = await request.json(), request.app["session"]
    signed = token(datetime.now(UTC), aud=request.app["audience"], serviceurl=body["serviceUrl"])  # noqa: TID251 - real time: real tokens
    # The Playground leaves the tenant out of some activities; Teams never does.
    body.setdefault("channelData", {}).setdefault("tenant", {"id": request.app["tenant"]})
    async with session.post(
        f"http://127.0.0.1:{RECLAIM}/api/messages", json=body, headers={"Authorization": f"Bearer {signed}"}
    ) as answer:
        return web.Response(body=await answer.read(), status=answer.status, content_type=answer.content_type)


def clear() -> None:
    """Leave nothing of an earlier run."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for left in FOLDER.glob("reclaim.db*"):
        left.unlink()


async def main(me: str) -> None:
    """Start all of it and wait."""
    async with AsyncExitStack() as closing:
        now = datetime.now(UTC)  # noqa: TID251 - the practice tenant lives today
        practice = await PracticeTenant.start_apart(now=now, directory=FOLDER)
        closing.push_async_callback(practice.stop)
        tenant = json.loads(practice.as_json())
        control = await closing.enter_async_context(
            httpx.AsyncClient(
                base_url=tenant["control_url"],
                headers={"X-Control-Key": tenant["control_key"]},
                verify=ssl.create_default_context(cafile=tenant["ca_file"]),
            )
        )
        setup, people = (await control.get("/setup")).json(), (await control.get("/personas")).json()
        (FOLDER / ".m365agentsplayground.yml").write_text(configuration(tenant, people, me), encoding="utf-8")
        prices = FOLDER / "prices.csv"
        prices.write_text(setup["prices_csv"], encoding="utf-8")
        environment = {**os.environ, **settings(tenant, setup), "RECLAIM_PRICES": str(prices)}
        for verb in (("db", "upgrade"), ("sync",)):
            done = await asyncio.create_subprocess_exec(
                sys.executable, "-c", "import app; app.main()", *verb, env=environment
            )
            assert await done.wait() == 0, verb
        server = await asyncio.create_subprocess_exec(
            sys.executable, "-c", "import app; app.main()", "serve", env=environment
        )
        closing.callback(server.terminate)
        proxy = KeyServer().app()
        proxy["session"] = await closing.enter_async_context(ClientSession())
        proxy["audience"], proxy["tenant"] = tenant["client_id"], tenant["tenant_id"]
        proxy.router.add_post("/api/messages", sign)
        runner = web.AppRunner(proxy, access_log=None)
        await runner.setup()
        closing.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", PROXY).start()
        sys.stdout.write(f"Bot endpoint: http://127.0.0.1:{PROXY}/api/messages. Start the Playground in {FOLDER}.\n")
        sys.stdout.flush()
        await server.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.teams.playground")
    parser.add_argument("--as", dest="me", default="", help="first name of the person to play; else the first admin")
    arguments = parser.parse_args()
    clear()
    asyncio.run(main(arguments.me))
