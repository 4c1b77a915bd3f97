"""The Entra connector: reading the directory and taking seats away through Microsoft Graph.

`connect` is the way in. What belongs here: the form of Microsoft's requests and answers, their errors and limits. What
does not: any rule on which seat is idle or may be removed.

    fields, parsing   one JSON object -> one of our values, or an error
    answers           one HTTP answer: error body, Retry-After, hash
    bot_token         the tokens of the bot in Teams, which are no Graph tokens
    installs          the bot's app, for a person who does not have it
    token, client     tokens; requests, repeats of reads, the check that the token goes to Graph only
    directory, writer the ports
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reclaim.connectors.graph.bot_token import BotTokens, bot_tokens
from reclaim.connectors.graph.client import GraphClient, graph_root
from reclaim.connectors.graph.directory import GraphDirectory
from reclaim.connectors.graph.installs import TeamsInstaller
from reclaim.connectors.graph.token import MsalTokens, make_session
from reclaim.connectors.graph.writer import GraphSeatWriter
from reclaim.ports.directory import Directory, SeatWriter
from reclaim.ports.system import Clock, Tokens

__all__ = [
    "BotTokens",
    "GraphConnection",
    "TeamsInstaller",
    "bot_tokens",
    "connect",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphConnection:
    """Both ports over one HTTP client."""

    directory: Directory
    writer: SeatWriter
    client: GraphClient

    async def aclose(self) -> None:
        """Close all connections."""
        await self.client.aclose()


def connect(
    *,
    login_url: str,
    graph_url: str,
    tenant_id: str,
    client_id: str,
    credential: str | Mapping[str, str],
    ca_file: Path | None,
    clock: Clock,
    tokens: Tokens,
) -> GraphConnection:
    """Return the connector of one tenant; no request is made yet.

    Args:
        login_url: Origin of the login service, as https://login.microsoftonline.com.
        graph_url: With its version, as https://graph.microsoft.com/v1.0.
        tenant_id: The customer's tenant.
        client_id: Reclaim's application in that tenant.
        credential: The application's secret, or its certificate; it is handed to msal and kept nowhere else.
        ca_file: Certificates to trust instead of the public ones; None for those.
        clock: Dates answers and waits between repeated reads.
        tokens: Makes request ids, and the chance in waiting times.

    Raises:
        InvalidRequest: An address is not https, or `ca_file` cannot be read.
    """
    access = MsalTokens(
        login_url=login_url,
        tenant_id=tenant_id,
        client_id=client_id,
        credential=credential,
        scope=str(graph_root(graph_url).copy_with(path="/.default")),
        session=make_session(ca_file),
    )
    client = GraphClient(graph_url=graph_url, access=access, clock=clock, tokens=tokens, ca_file=ca_file)
    return GraphConnection(directory=GraphDirectory(client), writer=GraphSeatWriter(client), client=client)
