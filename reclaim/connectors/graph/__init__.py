"""The Entra connector: reading the directory and taking seats away through Microsoft Graph.

`connect` is the way in. What belongs here: the form of Microsoft's requests and answers, their errors and limits. What
does not: any rule on which seat is idle or may be removed.

    fields, parsing   one JSON object -> one of our values, or an error
    answers           one HTTP answer: error body, Retry-After, hash
    budget            how much is written in a time
    sign_in_pace      how often sign-in activity is asked for
    reports           usage reports
    m365_use          usage reports as a source of consent programs
    intune_use        applications that Intune does not find, as such a source
    checks            the checkup's questions
    bot_token         the tokens of the bot in Teams, which are no Graph tokens
    installs          the bot's app, for a person who does not have it
    token, client     tokens; requests, repeats of reads, the check that the token goes to Graph only
    directory, writer the ports
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from reclaim.connectors.graph.bot_token import BotTokens, bot_tokens
from reclaim.connectors.graph.budget import WriteBudget
from reclaim.connectors.graph.checks import GraphChecks
from reclaim.connectors.graph.client import GraphClient, graph_root
from reclaim.connectors.graph.directory import GraphDirectory
from reclaim.connectors.graph.installs import TeamsInstaller
from reclaim.connectors.graph.intune_use import IntuneUse
from reclaim.connectors.graph.m365_use import M365Use
from reclaim.connectors.graph.reports import GraphReports
from reclaim.connectors.graph.sign_in_pace import SignInPace
from reclaim.connectors.graph.sku_names import read_sku_names
from reclaim.connectors.graph.token import MsalTokens, make_session, read_certificate
from reclaim.connectors.graph.writer import GraphSeatWriter
from reclaim.ports.checks import TenantChecks
from reclaim.ports.directory import Directory, SeatWriter
from reclaim.ports.system import Clock, Tokens
from reclaim.ports.usage_reports import UsageReports

__all__ = [
    "BotTokens",
    "GraphConnection",
    "IntuneUse",
    "M365Use",
    "Registration",
    "TeamsInstaller",
    "bot_tokens",
    "connect",
    "registration",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphConnection:
    """The ports; `client` reads, and writes as well unless another application does."""

    directory: Directory
    writer: SeatWriter
    reports: UsageReports
    checks: TenantChecks
    client: GraphClient
    writing: GraphClient

    async def aclose(self) -> None:
        """Close all connections."""
        await self.client.aclose()
        if self.writing is not self.client:
            await self.writing.aclose()


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """One app registration of the customer's tenant, with how it proves itself.

    Attributes:
        credential: Its secret, or its certificate as `certificate` returns it; handed to msal and kept nowhere else.
        settings: Other names of the settings that an error tells an admin to mend: the usual name → this one's.
    """

    client_id: str
    credential: str | Mapping[str, str] = field(repr=False)
    settings: Mapping[str, str] = field(default_factory=dict)


def registration(
    client_id: str, secret: SecretStr | None, certificate_file: Path | None, *, prefix: str = "RECLAIM_CLIENT"
) -> Registration:
    """Return an app registration as it is configured. Reads the certificate's file.

    Args:
        client_id: The application.
        secret: Its secret, if it has one.
        certificate_file: Or else the PEM of its certificate and private key.
        prefix: What its settings begin with, for errors.

    Raises:
        InvalidRequest: The certificate cannot be used.
    """
    credential: str | Mapping[str, str] = secret.get_secret_value() if secret else ""
    if secret is None and certificate_file is not None:
        credential = read_certificate(certificate_file, f"{prefix}_CERTIFICATE")
    own = {f"RECLAIM_CLIENT_{one}": f"{prefix}_{one}" for one in ("SECRET", "CERTIFICATE", "ID")}
    return Registration(client_id=client_id, credential=credential, settings=own)


def connect(
    *,
    login_url: str,
    graph_url: str,
    tenant_id: str,
    reader: Registration,
    writer: Registration | None = None,
    writes: int | None = None,
    sign_ins: int | None = None,
    ca_file: Path | None,
    sku_names: Path | None = None,
    usage_reports: bool = True,
    clock: Clock,
    tokens: Tokens,
) -> GraphConnection:
    """Return the connector of one tenant; no request is made yet.

    Args:
        login_url: Origin of the login service, as https://login.microsoftonline.com.
        graph_url: With its version, as https://graph.microsoft.com/v1.0.
        tenant_id: The customer's tenant.
        reader: The application that reads, and writes unless there is another one for that.
        writer: The application that writes, where the customer keeps the two apart. What was written is read back as
            the reader, so that the writer needs no permission to read.
        writes: How many writes this process makes in 150 seconds; None: as many as it is asked for.
        sign_ins: How many requests for sign-in activity this process makes in a minute; None: as many as needed.
        ca_file: Certificates to trust instead of the public ones; None for those.
        sku_names: The operator's copy of Microsoft's table of product names, if any.
        usage_reports: Whether this cloud has usage reports.
        clock: Dates answers and waits between repeated reads.
        tokens: Makes request ids, and the chance in waiting times.

    Raises:
        InvalidRequest: An address is not https, or a file cannot be read.
    """

    def client_of(registration: Registration) -> GraphClient:
        access = MsalTokens(
            login_url=login_url,
            tenant_id=tenant_id,
            client_id=registration.client_id,
            credential=registration.credential,
            scope=str(graph_root(graph_url).copy_with(path="/.default")),
            session=make_session(ca_file),
            settings=registration.settings,
        )
        return GraphClient(graph_url=graph_url, access=access, clock=clock, tokens=tokens, ca_file=ca_file)

    reading = client_of(reader)
    writing = reading if writer is None else client_of(writer)
    pace = None if sign_ins is None else SignInPace(sign_ins, monotonic=time.monotonic, sleep=clock.sleep)
    budget = None if writes is None else WriteBudget(writes, now=clock.now, monotonic=time.monotonic, sleep=clock.sleep)
    return GraphConnection(
        directory=GraphDirectory(reading, read_sku_names(sku_names) if sku_names else None, pace),
        writer=GraphSeatWriter(writing, reads=reading, budget=budget),
        reports=GraphReports(reading, offered=usage_reports),
        checks=GraphChecks(
            reading,
            writing,
            consent_address=f"{login_url.rstrip('/')}/{tenant_id}/adminconsent",
            client_ids=(reader.client_id, (writer or reader).client_id),
        ),
        client=reading,
        writing=writing,
    )
