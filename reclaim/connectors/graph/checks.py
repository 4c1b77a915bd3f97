"""The checkup's questions to a tenant, behind the port `TenantChecks`: each is one request that changes nothing.

A permission to read is tried by reading one row. For a permission to write there is no such call: what a token may do
stands in its claim `roles` (Entra docs, access-token-claims-reference). Microsoft asks clients not to build on what is
inside a token for Graph, so a token that cannot be read tells nothing, and nothing is forbidden because of it.
"""

import base64
import binascii
import json
from datetime import datetime
from urllib.parse import urlencode

from reclaim.connectors.graph.client import GraphClient
from reclaim.connectors.graph.parsing import SIGN_INS
from reclaim.ports.checks import WRITING, Permission

_QUESTIONS = {
    Permission.READ_PEOPLE: "/users?$select=id,displayName,assignedLicenses&$top=1",
    Permission.READ_SIGN_INS: f"/users?$select=id,{SIGN_INS}&$top=1",
    Permission.READ_LICENSES: "/subscribedSkus",
    Permission.READ_GROUPS: "/groups?$select=id,assignedLicenses&$top=1",
    Permission.READ_ROLES: "/roleManagement/directory/roleAssignments",
    # It answers with the address of a report, which is not fetched.
    Permission.READ_REPORTS: "/reports/getOffice365ActivationsUserDetail()",
    Permission.READ_REPORT_SETTINGS: "/admin/reportSettings",
}


class GraphChecks:
    """Asks as the application that reads, and looks at the token of the one that writes.

    Args:
        consent_address: {login origin}/{tenant}/adminconsent.
        client_ids: Of the application that reads, and of the one that writes, which may be the same.
    """

    def __init__(
        self, reading: GraphClient, writing: GraphClient, *, consent_address: str, client_ids: tuple[str, str]
    ) -> None:
        self._clients = (reading, writing)
        self._consent_address = consent_address
        self._client_ids = client_ids

    @property
    def separate_writer(self) -> bool:
        return self._clients[0] is not self._clients[1]

    async def token(self, *, writer: bool) -> None:
        await self._clients[writer].token(anew=True)

    async def read(self, permission: Permission) -> datetime | None:
        answer = await self._clients[0].get(_QUESTIONS[permission], needs=permission, kept_elsewhere=True)
        return answer.date

    async def write_permissions(self, *, anew: bool) -> frozenset[Permission] | None:
        roles = _roles(await self._clients[1].token(anew=anew))
        return None if roles is None else frozenset(one for one in WRITING if one.value in roles)

    async def may(self, permission: Permission) -> bool | None:
        roles = _roles(await self._clients[0].token(anew=False))
        return None if roles is None else permission.value in roles

    def consent_link(self, *, writer: bool) -> str:
        return f"{self._consent_address}?{urlencode({'client_id': self._client_ids[writer]})}"


def _roles(token: str) -> frozenset[str] | None:
    """Return the claim `roles` of a JSON Web Token; None if it is no such token. The signature is Graph's to check.

    A token of an application without any permission has no such claim.
    """
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, binascii.Error):
        return None
    if not isinstance(claims, dict) or "aud" not in claims:
        return None
    roles = claims.get("roles", [])
    if not isinstance(roles, list):
        return None
    return frozenset(role for role in roles if isinstance(role, str))
