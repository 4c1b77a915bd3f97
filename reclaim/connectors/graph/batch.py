"""Reads in batches: twenty GETs in one request, each with its own outcome. It saves round trips and no quota.

Source: Microsoft Graph docs, concepts/json-batching (at most 20, relative addresses, answers in any order; the outer 200
says nothing about the inner ones) and concepts/throttling (a throttled item names its own Retry-After; nobody but the
caller repeats it, in a new batch after the longest of these waits).
"""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus

import httpx

from reclaim.connectors.graph.answers import NOT_FOUND, Answer
from reclaim.connectors.graph.client import GraphClient, refused
from reclaim.connectors.graph.fields import Record
from reclaim.errors import DirectoryError

_ADDRESS = "/$batch"


class BatchedReads:
    """Reads several addresses at once through one client."""

    def __init__(self, client: GraphClient) -> None:
        self._client = client

    async def get(self, addresses: Sequence[str], *, needs: str) -> tuple[list[Answer], list[Answer]]:
        """Read addresses that may be missing, repeating those items that may pass.

        Args:
            addresses: Paths below the version with their query, at most 20.
            needs: As for `GraphClient.get`.

        Returns:
            One answer per address in their order, 200 or 404; and the batches as they were answered.

        Raises:
            DirectoryError: One item could not be read; with the longest `retry_after` where that is too long to wait here.
        """
        found: dict[int, Answer] = {}
        batches: list[Answer] = []
        tries = 0
        while len(found) < len(addresses):
            tries += 1
            asked = {number: address for number, address in enumerate(addresses) if number not in found}
            batch = await self._client.post_reading(_ADDRESS, _body(asked), needs=needs)
            batches.append(batch)
            failed: list[DirectoryError] = []
            for number, answer in _items(batch, asked).items():
                if answer.status == HTTPStatus.OK or (
                    answer.status == HTTPStatus.NOT_FOUND and answer.fault.code == NOT_FOUND
                ):
                    found[number] = answer
                else:
                    failed.append(refused(answer, needs))
            if failed:
                # The one that asks for the longest wait speaks for all, where none is left to wait here.
                await self._client.wait(sorted(failed, key=_patience), tries)
        return [found[number] for number in range(len(addresses))], batches


def _body(asked: Mapping[int, str]) -> dict[str, object]:
    return {"requests": [{"id": str(number), "method": "GET", "url": address} for number, address in asked.items()]}


def _items(batch: Answer, asked: Mapping[int, str]) -> dict[int, Answer]:
    """Return the answer to every item.

    Raises:
        DirectoryError: One is missing, or stands for nothing that was asked.
    """
    items: dict[int, Answer] = {}
    for one in Record(batch.document(), "batch").records("responses", "answer in a batch"):
        number = one.text("id")
        if not number.isascii() or not number.isdigit() or int(number) not in asked or int(number) in items:
            raise DirectoryError("Microsoft Graph answered something in a batch that was not asked.", permanent=True)
        items[int(number)] = Answer(
            url=asked[int(number)],
            status=one.number("status"),
            headers=httpx.Headers(one.header_texts("headers")),
            content=json.dumps(one.value("body")).encode(),
            at=batch.at,
            client_request_id=batch.client_request_id,
        )
    whole = [one for one in items.values() if one.status != HTTPStatus.OK or one.is_document]
    if len(whole) < len(asked):
        raise DirectoryError("Microsoft Graph left out answers of a batch.", status=HTTPStatus.OK)
    return items


def _patience(error: DirectoryError) -> float:
    return error.retry_after.total_seconds() if error.retry_after is not None else 0.0
