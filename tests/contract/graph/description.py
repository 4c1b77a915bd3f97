"""Microsoft's own description of Graph, for the tests of both sides: our connector and the practice tenant.

It is a subset of msgraph-metadata's OpenAPI document, kept beside the repository. Schemas that it lacks are added here,
each with its source; pages are named by their place in the Microsoft Graph docs.
"""

import copy
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from openapi_core import OpenAPI
from openapi_core.datatypes import RequestParameters
from werkzeug.datastructures import Headers, ImmutableMultiDict

SPEC = Path(__file__).parents[4] / "shared" / "data" / "graph-subset-openapi.yaml"
USERS_OF_GROUP = "/groups/{group-id}/members/microsoft.graph.user"
DEVICES_OF_APP = "/deviceManagement/detectedApps/{detectedApp-id}/managedDevices"
DEVICES = "/deviceManagement/managedDevices"
GROUPS_OF_GROUP = "/groups/{group-id}/members/microsoft.graph.group"

needs_description = pytest.mark.skipif(
    not SPEC.exists(), reason="the OpenAPI subset of Graph is not beside this checkout (../shared/data)"
)


@cache
def spec() -> OpenAPI:
    with SPEC.open(encoding="utf-8") as text:
        document: dict[str, Any] = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    # The sibling for users in the same file, and api/group-list-members.
    added = copy.deepcopy(document["paths"][USERS_OF_GROUP])
    added["get"]["operationId"] = "groups.ListMembers.AsGroup"
    added["get"]["responses"]["200"]["content"]["application/json"] = {
        "schema": {"$ref": "#/components/schemas/microsoft.graph.groupCollectionResponse"}
    }
    document["paths"][GROUPS_OF_GROUP] = added
    # The same devices of an application in the same file, and api/intune-devices-manageddevice-list.
    devices = copy.deepcopy(document["paths"][DEVICES_OF_APP])
    devices.pop("parameters")
    devices["get"]["operationId"] = "deviceManagement.ListManagedDevices"
    document["paths"][DEVICES] = devices
    # A delta query may select this relation (api/user-delta), and may be told to start anew (concepts/delta-query-overview).
    delta = document["paths"]["/users/delta"]["get"]
    select = next(one for one in delta["parameters"] if one.get("name") == "$select")
    select["schema"]["items"]["enum"].append("manager")
    delta["responses"]["410"] = copy.deepcopy(document["components"]["responses"]["err400"])
    return OpenAPI.from_dict(document)


class Asked:
    """An httpx request as openapi-core reads it."""

    def __init__(self, request: httpx.Request) -> None:
        self._request = request
        self.host_url = "https://graph.microsoft.com"
        self.path = request.url.path
        self.method = request.method.lower()
        self.body = request.content or None
        self.content_type = request.headers.get("content-type", "")
        self.parameters = RequestParameters(
            query=ImmutableMultiDict(request.url.params.multi_items()),
            header=Headers(list(request.headers.items())),
            cookie=ImmutableMultiDict(),
        )


class Answered:
    """An httpx response as openapi-core reads it; a scripted one without a content type is JSON."""

    def __init__(self, response: httpx.Response) -> None:
        self.status_code = response.status_code
        self.content_type = response.headers.get("content-type", "application/json").partition(";")[0]
        self.headers: Mapping[str, Any] = dict(response.headers)
        self.data = response.content


def check_answer(request: httpx.Request, response: httpx.Response) -> None:
    """Hold an answer against the description.

    Raises:
        OpenAPIError: It differs.
    """
    spec().validate_response(Asked(request), Answered(response))


def check_exchange(request: httpx.Request, response: httpx.Response) -> None:
    """Hold a request and its answer against the description; an empty answer (204) has no form.

    Raises:
        OpenAPIError: One of them differs.
    """
    spec().validate_request(Asked(request))
    if response.content:
        check_answer(request, response)
