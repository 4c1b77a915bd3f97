"""Access tokens for Microsoft's services, by client credentials or a managed identity, through msal.

msal is synchronous, so it runs in a thread, one call at a time; it keeps the token until five minutes before its end.
The secret and the tokens never enter a log line or an error message.
"""

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import msal
import requests
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from msal.exceptions import MsalError
from requests.adapters import HTTPAdapter

from reclaim.errors import DirectoryError, InvalidRequest

CONNECT_S, READ_S = 10.0, 30.0

# What an admin has to mend, by Microsoft's number. Source: Entra docs, reference-error-codes.
_REMEDIES = {
    "7000215": "the client secret is wrong. Set RECLAIM_CLIENT_SECRET to the secret's Value (not its Secret ID), from "
    "Entra admin center › App registrations › Certificates & secrets",
    "7000222": "the client secret has expired. Make a new one in Entra admin center › App registrations › "
    "Certificates & secrets and set RECLAIM_CLIENT_SECRET",
    "700016": "the application is not known in this tenant. Check RECLAIM_CLIENT_ID and RECLAIM_TENANT_ID",
    "7000112": "the application is disabled. Enable it in Entra admin center › Enterprise applications",
    "700027": "the certificate is not among the application's. Upload its public part in Entra admin center › App "
    "registrations › Certificates & secrets",
    "90002": "the tenant is not known. Check RECLAIM_TENANT_ID and RECLAIM_LOGIN_URL",
    "70011": "the Graph address is not one that this cloud knows. Check RECLAIM_GRAPH_URL and RECLAIM_CLOUD",
    "500011": "the Graph address is not one that this cloud knows. Check RECLAIM_GRAPH_URL and RECLAIM_CLOUD",
}
# Request budget, transient error, tenant throttling: Entra asks to try again.
_PASSING = frozenset({"90024", "90033", "90055"})
# OAuth 2.0 (RFC 6749 section 5.2) and Entra's own; all others, such as temporarily_unavailable, may pass.
_FINAL = frozenset(
    {"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "invalid_scope", "invalid_resource"}
)
_NUMBER = re.compile(r"AADSTS(\d+)")


class AccessTokens(Protocol):
    """Where the client gets its bearer tokens."""

    async def current(self) -> str:
        """Return a living token.

        Raises:
            DirectoryError: There is none; `permanent` if an admin has to mend something.
        """
        ...

    async def renewed(self, refused: str) -> str:
        """Return a token other than `refused`, which Graph did not accept.

        Raises:
            DirectoryError: As above.
        """
        ...

    async def aclose(self) -> None:
        """Close connections."""
        ...


class MsalTokens:
    """Tokens of one application in one tenant.

    Args:
        login_url: Origin of the login service, https.
        tenant_id: The tenant that gives the tokens.
        client_id: The application.
        credential: The application's secret, or its certificate as `certificate` returns it.
        scope: `{origin of the service}/.default`.
        session: As from `make_session`; closed together with this object.
        settings: Other names of the settings that an error tells an admin to mend: the usual name → this one's.
    """

    def __init__(
        self,
        *,
        login_url: str,
        tenant_id: str,
        client_id: str,
        credential: str | Mapping[str, str],
        scope: str,
        session: requests.Session,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self._authority = f"{login_url.rstrip('/')}/{tenant_id}"
        self._client_id = client_id
        self._credential = credential if isinstance(credential, str) else dict(credential)
        self._scopes = [scope]
        self._session = session
        self._settings = dict(settings or {})
        self._application: msal.ConfidentialClientApplication | None = None
        self._lock = asyncio.Lock()

    async def current(self) -> str:
        async with self._lock:
            return await asyncio.to_thread(self._acquire, None)

    async def renewed(self, refused: str) -> str:
        async with self._lock:
            return await asyncio.to_thread(self._acquire, refused)

    async def aclose(self) -> None:
        await asyncio.to_thread(self._session.close)

    def _acquire(self, refused: str | None) -> str:
        try:
            answer = self._ask(refused)
        except requests.exceptions.RequestException as error:
            raise _unreachable(error) from error
        except OSError as error:  # requests: a CA file that is not there
            raise DirectoryError(
                "The certificates in RECLAIM_CA_FILE cannot be read. Check the path.", permanent=True
            ) from error
        except (MsalError, RuntimeError, ValueError, KeyError) as error:
            raise self._own(_not_understood(error)) from error
        token = answer.get("access_token")
        if not isinstance(token, str) or not token:
            raise self._own(_refused(answer))
        return token

    def _own(self, error: DirectoryError) -> DirectoryError:
        message = error.message
        for usual, own in self._settings.items():
            message = message.replace(usual, own)
        return DirectoryError(message, permanent=error.permanent)

    def _ask(self, refused: str | None) -> Mapping[str, object]:
        if self._application is None:
            # Instance discovery would ask Microsoft's public cloud about every other login service. Making the object
            # reads the tenant's discovery document, so it happens here and not at start.
            self._application = msal.ConfidentialClientApplication(
                self._client_id,
                client_credential=self._credential,
                authority=self._authority,
                instance_discovery=False,
                http_client=self._session,
            )
        answer: Mapping[str, object] = self._application.acquire_token_for_client(self._scopes)
        if refused is not None and answer.get("access_token") == refused:
            self._application.remove_tokens_for_client()
            answer = self._application.acquire_token_for_client(self._scopes)
        return answer


class ManagedIdentityTokens:
    """Tokens of a user-assigned managed identity, from the metadata service of the machine in Azure.

    Args:
        client_id: Of the identity.
        resource: The service, without `/.default`.
        session: As from `make_session`; closed together with this object.
    """

    def __init__(self, *, client_id: str, resource: str, session: requests.Session) -> None:
        self._resource = resource
        self._session = session
        self._client = msal.ManagedIdentityClient(
            msal.UserAssignedManagedIdentity(client_id=client_id), http_client=session
        )
        self._lock = asyncio.Lock()

    async def current(self) -> str:
        async with self._lock:
            return await asyncio.to_thread(self._acquire)

    async def aclose(self) -> None:
        await asyncio.to_thread(self._session.close)

    def _acquire(self) -> str:
        try:
            answer = self._client.acquire_token_for_client(resource=self._resource)
        except requests.exceptions.RequestException as error:
            raise DirectoryError(
                "The managed identity cannot be asked: this machine has no metadata service."
            ) from error
        except (MsalError, ValueError, KeyError) as error:
            raise DirectoryError("The managed identity gives no token. Is it assigned to this machine?") from error
        token = answer.get("access_token")
        if not isinstance(token, str) or not token:
            # What its service says beside these, such as too_many_requests, passes.
            final = answer.get("error") in _FINAL
            raise DirectoryError(
                "The managed identity gives no token. Is it assigned to this machine?", permanent=final
            )
        return token


def certificate(pem: str) -> dict[str, str]:
    """Return the credential of a PEM text that holds a certificate and its private key, unencrypted.

    Raises:
        ValueError: One of them is missing or cannot be read.
    """
    found = x509.load_pem_x509_certificates(pem.encode())
    key = serialization.load_pem_private_key(pem.encode(), password=None)
    if not found or key.public_key() != found[0].public_key():
        message = "the private key is not that of the certificate"
        raise ValueError(message)
    return {
        "private_key": key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode(),
        "public_certificate": found[0].public_bytes(serialization.Encoding.PEM).decode(),
    }


def read_certificate(path: Path, setting: str) -> dict[str, str]:
    """Return the credential of a PEM file, as `certificate` does.

    Raises:
        InvalidRequest: It cannot be used; `setting` is named as the one to mend.
    """
    try:
        return certificate(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError) as error:  # TypeError: the key has a password
        raise InvalidRequest(
            f"{setting} must be a PEM file of the certificate and its private key without a password.", field=setting
        ) from error


class _TimedAdapter(HTTPAdapter):
    """Sends with explicit timeouts, which msal does not set on a session that is not its own."""

    def send(self, *args: Any, **kwargs: Any) -> requests.Response:
        return super().send(*args, **{**kwargs, "timeout": kwargs.get("timeout") or (CONNECT_S, READ_S)})


def make_session(ca_file: Path | None) -> requests.Session:
    """Return the HTTP session for msal, with timeouts and our own trust.

    Args:
        ca_file: Certificates to trust instead of the public ones.
    """
    session = requests.Session()
    # Otherwise REQUESTS_CA_BUNDLE in the environment would win over `verify`, and .netrc over our own credentials.
    session.trust_env = False
    session.verify = str(ca_file) if ca_file is not None else True
    session.mount("https://", _TimedAdapter())
    session.mount("http://", _TimedAdapter())  # the metadata service of a machine in Azure
    return session


def _refused(answer: Mapping[str, object]) -> DirectoryError:
    number = _number(answer)
    remedy = _REMEDIES.get(number, "Microsoft's page on sign-in error codes explains the number")
    named = f" (AADSTS{number})" if number else ""
    permanent = number in _REMEDIES or (answer.get("error") in _FINAL and number not in _PASSING)
    return DirectoryError(f"Microsoft Entra gives Reclaim no access{named}: {remedy}.", permanent=permanent)


def _number(answer: Mapping[str, object]) -> str:
    codes = answer.get("error_codes")
    if isinstance(codes, list) and codes:
        return str(codes[0])
    found = _NUMBER.search(str(answer.get("error_description", "")))
    return found[1] if found else ""


def _unreachable(error: requests.exceptions.RequestException) -> DirectoryError:
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return DirectoryError(
            "The certificate of the Microsoft login service is not trusted. If a proxy opens TLS connections here, put "
            "its certificate into RECLAIM_CA_FILE.",
            permanent=True,
        )
    return DirectoryError("The Microsoft login service cannot be reached. Check the network and RECLAIM_LOGIN_URL.")


def _not_understood(error: Exception) -> DirectoryError:
    # msal raises the same ValueError for an unknown tenant (Entra answers 400) and for a page of something else.
    if "HTTP status: 400" in str(error.__context__):
        return DirectoryError(f"Microsoft Entra gives Reclaim no access: {_REMEDIES['90002']}.", permanent=True)
    return DirectoryError("The Microsoft login service is out of order, or something else answers in its place.")
