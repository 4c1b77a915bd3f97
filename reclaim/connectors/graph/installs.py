"""Installs the Teams app for a person who never wrote to the bot, so that it may write to them first.

Source: "Proactive installation of apps using Microsoft Graph to send messages" of the Teams documentation. Permission:
TeamsAppInstallation.ReadWriteSelfForUser.All, which lets an app install itself and nothing else.
"""

from http import HTTPStatus
from uuid import UUID

import httpx
import structlog

from reclaim.connectors.graph.client import GraphClient
from reclaim.connectors.graph.fields import guid
from reclaim.domain.ids import PersonId
from reclaim.errors import DeliveryError, DirectoryError
from reclaim.ports.system import Tokens

INSTALL = "TeamsAppInstallation.ReadWriteSelfForUser.All"
_REFUSED = frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.BAD_REQUEST})

_log = structlog.get_logger(__name__)


class TeamsInstaller:
    """Installs one app of the organisation's catalogue.

    Args:
        client: Speaks for the application that has the permission.
        manifest_id: The `id` in the app's manifest.
        tokens: Makes request ids.
    """

    def __init__(self, client: GraphClient, *, manifest_id: str, tokens: Tokens) -> None:
        self._client = client
        self._manifest_id = str(UUID(manifest_id))
        self._tokens = tokens
        self._catalogue_id: str | None = None

    async def install(self, person: PersonId) -> bool:
        """Return whether the person has the app now; False where the tenant does not let us, or has no such app.

        Raises:
            DeliveryError: Graph does not answer now.
        """
        try:
            person_id = guid(person, "person")
            app = await self._in_catalogue()
            if app is None:
                return False
            answer = await self._client.post(
                f"/users/{person_id}/teamwork/installedApps",
                {"teamsApp@odata.bind": str(self._client.within(f"/appCatalogs/teamsApps/{app}"))},
                client_request_id=str(UUID(self._tokens.new_id())),
            )
        except DirectoryError as error:
            if error.permanent:
                _log.info("the Teams app cannot be installed", person=person, status=error.status)
                return False
            raise DeliveryError("Microsoft Graph does not answer right now.", retry_after=error.retry_after) from error
        except (httpx.RequestError, TimeoutError) as error:
            raise DeliveryError("Microsoft Graph does not answer right now.") from error
        if answer.status in (HTTPStatus.CREATED, HTTPStatus.CONFLICT):  # 409: it is there already
            return True
        if answer.status in _REFUSED:
            _log.info("the Teams app cannot be installed", person=person, status=answer.status)
            return False
        raise DeliveryError("Microsoft Graph does not answer right now.", retry_after=answer.retry_after)

    async def _in_catalogue(self) -> str | None:
        if self._catalogue_id is None:
            found = await self._client.get(
                f"/appCatalogs/teamsApps?$filter=externalId eq '{self._manifest_id}'&$select=id", needs=INSTALL
            )
            value = found.document().get("value")
            first = value[0] if isinstance(value, list) and value else None
            self._catalogue_id = str(first["id"]) if isinstance(first, dict) and "id" in first else None
        return self._catalogue_id
