"""The bot's own access tokens for the Bot Connector: by secret, by certificate, or by managed identity."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol

from reclaim.connectors.graph.token import ManagedIdentityTokens, MsalTokens, make_session, read_certificate

CONNECTOR: Final = "https://api.botframework.com"  # whom the tokens are for, in every cloud's single-tenant bots

_SETTINGS: Final = {
    "RECLAIM_CLIENT_SECRET": "RECLAIM_TEAMS_APP_SECRET",
    "RECLAIM_CLIENT_ID": "RECLAIM_TEAMS_APP_ID",
    "RECLAIM_TENANT_ID": "RECLAIM_TEAMS_TENANT_ID",
}


class BotTokens(Protocol):
    """Where the bot gets its bearer tokens."""

    async def current(self) -> str:
        """Return a living token.

        Raises:
            DirectoryError: There is none; `permanent` if an admin has to mend something.
        """
        ...

    async def aclose(self) -> None:
        """Close connections."""
        ...


def bot_tokens(
    *,
    app_id: str,
    tenant_id: str,
    secret: str | None,
    certificate_file: Path | None,
    login_url: str,
    ca_file: Path | None,
) -> BotTokens:
    """Return the source of the bot's tokens; no request is made yet. Reads the certificate's file.

    Args:
        app_id: The bot's; of the managed identity where neither a secret nor a certificate is given.
        tenant_id: The tenant that gives the tokens.
        secret: The application's secret.
        certificate_file: PEM of the certificate and its private key without a password.
        login_url: Origin of the login service, https.
        ca_file: Certificates to trust instead of the public ones.

    Raises:
        InvalidRequest: The certificate cannot be used.
    """
    session = make_session(ca_file)
    credential: str | Mapping[str, str]
    if secret is not None:
        credential = secret
    elif certificate_file is not None:
        credential = read_certificate(certificate_file, "RECLAIM_TEAMS_CERTIFICATE")
    else:
        return ManagedIdentityTokens(client_id=app_id, resource=CONNECTOR, session=session)
    return MsalTokens(
        login_url=login_url,
        tenant_id=tenant_id,
        client_id=app_id,
        credential=credential,
        scope=f"{CONNECTOR}/.default",
        session=session,
        settings=_SETTINGS,
    )
