"""The practice tenant as a running server: all parts wired, on one TLS port of the loopback interface."""

import asyncio
import contextlib
import json
import os
import secrets
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote

from aiohttp import web
from aiohttp.typedefs import Middleware

from rehearsal.applications import MAIN, WRITER, WRITER_GRANTED, Application
from rehearsal.calls import CallLog
from rehearsal.certificate import make_server_context
from rehearsal.clock import TenantClock, machine_now
from rehearsal.control import ControlEndpoints
from rehearsal.directory import Directory
from rehearsal.faults import Faults, suffer, was_cut
from rehearsal.gate import Gate, Handler, answer, stamp
from rehearsal.graph_batch import BatchEndpoint
from rehearsal.graph_changes import DeltaEndpoints
from rehearsal.graph_groups import GroupEndpoints
from rehearsal.graph_roles import RoleEndpoints
from rehearsal.graph_users import UserEndpoints
from rehearsal.identity import Identities
from rehearsal.intune import IntuneEndpoints
from rehearsal.login import LoginEndpoints, TokenDesk
from rehearsal.nexthink import LOGIN_PATH, NEXTHINK_ROOT, QUERY, NexthinkEndpoints
from rehearsal.odata import Addresses
from rehearsal.people import People
from rehearsal.permissions import GRANTED_AT_START
from rehearsal.usage import UsageEndpoints

LOOPBACK = "127.0.0.1"
GRAPH_ROOT, CONTROL_ROOT = "/v1.0", "/control"
_LARGEST_BODY = 1 << 20
_SHUTDOWN_S = 1.0


@dataclass(frozen=True, slots=True)
class PracticeTenant:
    """A running fake Microsoft 365 tenant.

    Attributes:
        login_url: Origin of the login service.
        graph_url: Address of Graph, with its version.
        control_url: Address of the control API.
        ca_file: The certificate to trust.
        tenant_id: The tenant's GUID; follows from the seed.
        client_id: The application's GUID; follows from the seed.
        client_secret: The application's secret, new at every start.
        writer_client_id, writer_client_secret: Of a second application, which may write and nothing else.
        control_key: Value of the header X-Control-Key, new at every start.
        nexthink_url, nexthink_login_url: Of a Nexthink instance of the same company: its API, and the address of tokens.
        nexthink_client_id, nexthink_client_secret: API credentials there.
        nexthink_query: The query that it knows.
    """

    login_url: str
    graph_url: str
    control_url: str
    ca_file: Path
    tenant_id: str
    client_id: str
    client_secret: str
    writer_client_id: str
    writer_client_secret: str
    control_key: str
    nexthink_url: str
    nexthink_login_url: str
    nexthink_client_id: str
    nexthink_client_secret: str
    nexthink_query: str
    _stop: Callable[[], Awaitable[None]]

    @classmethod
    async def start(
        cls, *, people: int = 400, seed: int = 7, now: datetime, port: int = 0, directory: Path
    ) -> "PracticeTenant":
        """Make a tenant and serve it on loopback.

        Args:
            people: How many accounts, from 30 to 1,000,000.
            seed: The same seed, number and time make the same tenant.
            now: Tenant time at the start; aware, from September 2024 on.
            port: TCP port; 0 takes a free one.
            directory: Existing folder that receives ca.pem.

        Raises:
            ValueError: `people` or `now` is out of range.
            OSError: The port is taken, or the folder cannot be written.
        """
        state = await asyncio.to_thread(_make_directory, people, seed, TenantClock(now))
        ca_file = directory / "ca.pem"
        tls = await asyncio.to_thread(make_server_context, machine_now(), ca_file)
        listener = socket.create_server((LOOPBACK, port))
        origin = f"https://{LOOPBACK}:{listener.getsockname()[1]}"
        identities = Identities(seed)
        tenant_id, control_key = identities.named("tenant"), secrets.token_urlsafe(24)
        main = Application(MAIN, identities.named("application"), secrets.token_urlsafe(24), GRANTED_AT_START)
        writer = Application(WRITER, identities.named("writer"), secrets.token_urlsafe(24), WRITER_GRANTED)
        tokens = TokenDesk()
        nexthink_id, nexthink_secret = identities.named("nexthink"), secrets.token_urlsafe(24)
        nexthink = NexthinkEndpoints(
            state, origin=origin, client_id=nexthink_id, client_secret=nexthink_secret, seed=seed
        )
        runner = web.AppRunner(
            _application(
                state,
                tokens,
                (main, writer),
                nexthink,
                origin=origin,
                tenant_id=tenant_id,
                control_key=control_key,
                seed=seed,
            ),
            access_log=None,
            shutdown_timeout=_SHUTDOWN_S,
        )
        await runner.setup()
        await web.SockSite(runner, listener, ssl_context=tls).start()
        return cls(
            login_url=origin,
            graph_url=origin + GRAPH_ROOT,
            control_url=origin + CONTROL_ROOT,
            ca_file=ca_file,
            tenant_id=tenant_id,
            client_id=main.client_id,
            client_secret=main.secret,
            writer_client_id=writer.client_id,
            writer_client_secret=writer.secret,
            control_key=control_key,
            nexthink_url=origin + NEXTHINK_ROOT,
            nexthink_login_url=origin + LOGIN_PATH,
            nexthink_client_id=nexthink_id,
            nexthink_client_secret=nexthink_secret,
            nexthink_query=QUERY,
            _stop=runner.cleanup,
        )

    @classmethod
    async def start_apart(cls, *, people: int = 400, seed: int = 7, now: datetime, directory: Path) -> "PracticeTenant":
        """Make the same tenant in a process of its own: a large one and the product do not wait for each other then.

        Args:
            people: As in `start`, as all others.

        Raises:
            OSError: The process ended before it served; why stands on standard error.
        """
        words = [
            *(sys.executable, "-m", "rehearsal", "--people", str(people), "--seed", str(seed)),
            *("--now", now.isoformat(), "--directory", str(directory), "--while-read"),
        ]
        python_path = os.pathsep.join(filter(None, (str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH"))))
        process = await asyncio.create_subprocess_exec(
            *words,
            stdin=asyncio.subprocess.PIPE,  # at our end, however we end, it closes
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": python_path},
        )

        async def stop() -> None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()

        line = await process.stdout.readline() if process.stdout is not None else b""
        if not line:
            await stop()
            raise OSError("The practice tenant did not start.")
        found = json.loads(line)
        return cls(**(found | {"ca_file": Path(found["ca_file"])}), _stop=stop)

    async def stop(self) -> None:
        """Stop serving; calls under way are cut after a second."""
        await self._stop()

    def as_json(self) -> str:
        """Return how to reach the tenant, on one line."""
        return json.dumps(
            {
                "login_url": self.login_url,
                "graph_url": self.graph_url,
                "control_url": self.control_url,
                "ca_file": str(self.ca_file),
                "tenant_id": self.tenant_id,
                "client_id": self.client_id,
                "client_secret": self.client_secret,
                "writer_client_id": self.writer_client_id,
                "writer_client_secret": self.writer_client_secret,
                "control_key": self.control_key,
                "nexthink_url": self.nexthink_url,
                "nexthink_login_url": self.nexthink_login_url,
                "nexthink_client_id": self.nexthink_client_id,
                "nexthink_client_secret": self.nexthink_client_secret,
                "nexthink_query": self.nexthink_query,
            }
        )


def _make_directory(people: int, seed: int, clock: TenantClock) -> Directory:
    return Directory(People(count=people, seed=seed, start=clock.now), clock)


def _application(
    state: Directory,
    tokens: TokenDesk,
    applications: Sequence[Application],
    nexthink: NexthinkEndpoints,
    *,
    origin: str,
    tenant_id: str,
    control_key: str,
    seed: int,
) -> web.Application:
    gate, faults, calls = Gate(tokens), Faults(), CallLog()
    login = LoginEndpoints(tokens, applications, origin=origin, tenant_id=tenant_id)
    addresses = Addresses(origin + GRAPH_ROOT, secrets.token_bytes(16))
    usage = UsageEndpoints(state, gate, addresses, origin)
    intune = IntuneEndpoints(state, gate, addresses, seed)
    control = ControlEndpoints(
        state,
        gate=gate,
        applications=applications,
        tokens=tokens,
        faults=faults,
        calls=calls,
        usage=usage,
        intune=intune,
        nexthink=nexthink,
        key=control_key,
    )
    app = web.Application(
        middlewares=[_guard(control), _record(calls), _fail(faults, state.clock), _refuse(gate)],
        client_max_size=_LARGEST_BODY,
    )
    app.add_routes(_below(CONTROL_ROOT, control.routes()))
    app.add_routes(_below(GRAPH_ROOT, DeltaEndpoints(state, gate, addresses).routes()))  # before /users/{user}
    app.add_routes(_below(GRAPH_ROOT, BatchEndpoint(GRAPH_ROOT).routes()))
    app.add_routes(_below(GRAPH_ROOT, UserEndpoints(state, gate, addresses, tenant_id).routes()))
    app.add_routes(_below(GRAPH_ROOT, GroupEndpoints(state, gate, addresses).routes()))
    app.add_routes(_below(GRAPH_ROOT, RoleEndpoints(state, gate, addresses).routes()))
    app.add_routes(_below(GRAPH_ROOT, usage.routes()))
    app.add_routes(_below(GRAPH_ROOT, intune.routes()))
    app.add_routes(usage.downloads())
    app.add_routes(login.routes())
    app.add_routes(nexthink.routes())
    return app


def _below(root: str, routes: list[web.RouteDef]) -> list[web.RouteDef]:
    return [web.RouteDef(route.method, root + route.path, route.handler, route.kwargs) for route in routes]


def _guard(control: ControlEndpoints) -> Middleware:
    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        """Take control requests aside, before anything is recorded or fails."""
        if _is_below(request, CONTROL_ROOT):
            return await control.answer(request, request.match_info.handler)
        return await handler(request)

    return guard


def _record(calls: CallLog) -> Middleware:
    @web.middleware
    async def record(request: web.Request, handler: Handler) -> web.StreamResponse:
        """Note every call of login and Graph with what the caller got."""
        status: int | None = None
        try:
            response = await handler(request)
            status = None if was_cut(request) else response.status
            return response
        except web.HTTPException as error:
            status = error.status
            raise
        finally:
            await calls.add(request.method, unquote(request.path_qs), status)

    return record


def _fail(faults: Faults, clock: TenantClock) -> Middleware:
    @web.middleware
    async def fail(request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let armed faults happen, and put the request's ids on the answer."""
        fault = faults.take(request)
        response = await (handler(request) if fault is None else suffer(fault, request, handler))
        stamp(request, response, clock.now)
        return response

    return fail


def _refuse(gate: Gate) -> Middleware:
    @web.middleware
    async def refuse(request: web.Request, handler: Handler) -> web.StreamResponse:
        """Check the token of Graph requests and put refusals into Graph's form."""
        return await (answer(request, handler, gate) if _is_below(request, GRAPH_ROOT) else handler(request))

    return refuse


def _is_below(request: web.Request, root: str) -> bool:
    return request.path == root or request.path.startswith(f"{root}/")
