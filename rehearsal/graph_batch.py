"""POST /$batch for reads: up to 20 GETs in one request, each answered as if it had come alone.

Source: concepts/json-batching (form, limit, unique ids, answers in any order), throttling (every request of a batch counts
for itself; the batch answers 200 although some of them did not). Writes in a batch are not imitated and refused.
"""

import json
from typing import Any

from aiohttp import web
from yarl import URL

from rehearsal import errors
from rehearsal.gate import read_json

MOST_REQUESTS = 20
_KEPT_HEADERS = ("Content-Type", "Retry-After")


class BatchEndpoint:
    """The handler of /$batch."""

    def __init__(self, root: str) -> None:
        """Take the path of the service root, with the version."""
        self._root = root

    def routes(self) -> list[web.RouteDef]:
        """Return the addresses below the service root."""
        return [web.post("/$batch", self._batch)]

    async def _batch(self, request: web.Request) -> web.Response:
        bare = request.clone()  # a request whose body was read cannot be cloned
        asked = _parse(await read_json(request))
        answers = [await self._answer(bare, request.app, number, url) for number, url in asked]
        # In any order, says the documentation: never in the order of the questions, unless there is one only.
        return web.json_response({"responses": answers[::-1]})

    async def _answer(self, bare: web.BaseRequest, app: web.Application, number: str, url: str) -> dict[str, Any]:
        headers = bare.headers.copy()
        for name in ("Content-Type", "Content-Length"):
            headers.popall(name, None)
        inner = bare.clone(method="GET", rel_url=URL(f"{self._root}{url}"), headers=headers)
        # Through everything that stands before a request that comes alone: faults, limits, the log of calls.
        answer = await app._handle(inner)  # type: ignore[arg-type]
        body = answer.body if isinstance(answer, web.Response) and isinstance(answer.body, bytes) else b""
        return {
            "id": number,
            "status": answer.status,
            "headers": {name: answer.headers[name] for name in _KEPT_HEADERS if name in answer.headers},
            "body": json.loads(body) if answer.content_type == "application/json" and body else None,
        }


def _parse(body: object) -> list[tuple[str, str]]:
    """Return id and address of every request.

    Raises:
        GraphError: The batch as a whole is refused.
    """
    requests = body.get("requests") if isinstance(body, dict) else None
    if not isinstance(requests, list) or not requests:
        raise errors.bad_batch("Invalid batch payload format.")
    if len(requests) > MOST_REQUESTS:
        raise errors.bad_batch(f"Number of batch request steps exceeds the maximum value of {MOST_REQUESTS}.")
    asked = [_parse_one(one) for one in requests]
    if len({number.casefold() for number, _ in asked}) < len(asked):
        raise errors.bad_batch("Batch request ids are not unique.")
    return asked


def _parse_one(one: object) -> tuple[str, str]:
    number, method, url = (one.get(name) if isinstance(one, dict) else None for name in ("id", "method", "url"))
    if not isinstance(number, str) or not number or not isinstance(url, str):
        raise errors.bad_batch("A batch request needs an id, a method and a url.")
    if method != "GET":
        raise errors.bad_batch(f"The practice tenant does not batch {method}.")
    if not url.startswith("/") or url.startswith(("//", "/v1.0/", "/beta/", "/$batch")):
        raise errors.bad_batch(f"The url '{url}' of a batch request must be relative and without a version.")
    return number, url
