"""Query options, paging and addresses as Graph's OData dialect has them.

Sources: concepts/query-parameters, concepts/paging, user-list (page sizes), known issue 13635 ($expand caps a page).
Options that the practice tenant does not imitate are refused, so that no test passes on an ignored filter.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from typing import Any

from aiohttp import web

from rehearsal import errors

DEFAULT_PAGE, LARGEST_PAGE = 100, 999
_EXPAND = re.compile(r"(?P<name>\w+)(\(\$select=(?P<select>[\w,]+)\))?")
_UNSUPPORTED = "Request_UnsupportedQuery"
_SKIP_TOKEN = "$skiptoken"  # noqa: S105  (an option's name, not a secret)


@dataclass(frozen=True, slots=True)
class Query:
    """The options of one GET.

    Attributes:
        select: Wanted properties, each once; None for the default set.
        expand: Name of the expanded relation.
        expand_select: Wanted properties of the expanded object; None for the default set.
        top: Wanted rows per page; None if not said.
        after: Key of the last row of the page before; None on the first page.
    """

    select: tuple[str, ...] | None
    expand: str | None
    expand_select: tuple[str, ...] | None
    top: int | None
    after: int | None


class Addresses:
    """Builds the absolute addresses in answers, and reads its own page tokens back."""

    def __init__(self, graph_url: str, secret: bytes) -> None:
        self.graph_url = graph_url
        self._secret = secret

    def context(self, fragment: str) -> str:
        """Return an @odata.context."""
        return f"{self.graph_url}/$metadata#{fragment}"

    def parse(self, request: web.Request, allowed: Collection[str]) -> Query:
        """Read the options of a request.

        Raises:
            GraphError: An option is not allowed here, or malformed.
        """
        _refuse_unsupported(request, {*allowed, _SKIP_TOKEN} if "$top" in allowed else allowed)
        expand, expand_select = _parse_expand(request.query.get("$expand"))
        token = request.query.get(_SKIP_TOKEN)
        return Query(
            select=_parse_select(request.query.get("$select")),
            expand=expand,
            expand_select=expand_select,
            top=_parse_top(request.query.get("$top")),
            after=None if token is None else self._read_token(request.path, token),
        )

    def page(
        self, request: web.Request, context: str, rows: Iterable[tuple[int, dict[str, Any]]], size: int
    ) -> dict[str, Any]:
        """Return one page of keyed rows, with a nextLink if there are more.

        Args:
            request: The request whose options the nextLink repeats verbatim.
            context: The fragment of the @odata.context.
            rows: Rows behind the page before, each with its key, in the order of the keys; read no further than needed.
            size: Rows per page.
        """
        chosen = list(islice(rows, size + 1))
        body: dict[str, Any] = {"@odata.context": self.context(context)}
        if len(chosen) > size:
            chosen.pop()
            body["@odata.nextLink"] = self._next_link(request, chosen[-1][0])
        body["value"] = [row for _, row in chosen]
        return body

    def _next_link(self, request: web.Request, last_key: int) -> str:
        options = [
            option
            for option in request.rel_url.raw_query_string.split("&")
            if option and not option.replace("%24", "$").startswith(f"{_SKIP_TOKEN}=")
        ]
        origin = self.graph_url.removesuffix("/v1.0")
        token = self._write_token(request.path, last_key)
        return f"{origin}{request.rel_url.raw_path}?{'&'.join([*options, f'{_SKIP_TOKEN}={token}'])}"

    def _write_token(self, path: str, key: int) -> str:
        payload = key.to_bytes(8, signed=True)
        return urlsafe_b64encode(payload + self._seal(path, payload)).decode().rstrip("=")

    def _read_token(self, path: str, token: str) -> int:
        try:
            raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except ValueError:
            raw = b""
        payload = raw[:8]
        if raw[8:] != self._seal(path, payload):
            message = "The specified page token value has expired and can no longer be included in your request."
            raise errors.GraphError(400, "Directory_ExpiredPageToken", message)
        return int.from_bytes(payload, signed=True)

    def _seal(self, path: str, payload: bytes) -> bytes:
        return blake2b(path.encode() + b"\0" + payload, key=self._secret, digest_size=10).digest()


def _refuse_unsupported(request: web.Request, allowed: Collection[str]) -> None:
    for option in request.query:
        if option == "$skip":
            raise errors.bad_request("'$skip' is not supported by the service.")
        if option.startswith("$") and option not in allowed:
            raise errors.GraphError(400, _UNSUPPORTED, f"The query option '{option}' is not supported here.")


def _parse_select(text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def _parse_expand(text: str | None) -> tuple[str | None, tuple[str, ...] | None]:
    if text is None:
        return None, None
    match = _EXPAND.fullmatch(text)
    if match is None:
        raise errors.bad_request(f"Parsing OData Select and Expand failed: '{text}'.")
    return match["name"], _parse_select(match["select"])


def _parse_top(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= LARGEST_PAGE:
        message = f"Invalid page size specified: '{text}'. Must be between 1 and {LARGEST_PAGE} inclusive."
        raise errors.bad_request(message)
    return int(text)
