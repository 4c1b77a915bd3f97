"""Reads in batches: twenty GETs in one request, each with its own outcome. It saves round trips and no quota.

Source: Microsoft Graph docs, concepts/json-batching (at most 20, relative addresses, answers in any order; the outer 200
says nothing about the inner ones) and concepts/throttling (a throttled item names its own Retry-After; nobody but the
caller repeats it, in a new batch after the longest of these waits).
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final

import httpx

from reclaim.connectors.graph.answers import NOT_FOUND, Answer
from reclaim.connectors.graph.client import GraphClient, refused
from reclaim.connectors.graph.fields import Record
from reclaim.errors import DirectoryError
from reclaim.together import Together

_MOST: Final = 20
_ADDRESS: Final = "/$batch"
_BATCHES: Final = 4  # on their way at once, of what is asked at the same time


class BatchedReads:
    """Reads several addresses at once through one client."""

    def __init__(self, client: GraphClient) -> None:
        self._client = client
        self._together: Together[tuple[str, str], Answer] = Together(self._read, most=_MOST * _BATCHES)

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
        found, batches = await self._each([(address, needs) for address in addresses])
        failed = [one for one in found if isinstance(one, DirectoryError)]
        if failed:
            raise max(failed, key=_patience)
        return [one for one in found if isinstance(one, Answer)], batches

    async def one(self, address: str, *, needs: str) -> Answer:
        """Read an address that may be missing, in one batch with what others ask for at the same time.

        Raises:
            DirectoryError: As for `GraphClient.get`.
        """
        return await self._together.ask((address, needs))

    async def _read(self, asked: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Answer | Exception]:
        if len(asked) == 1:
            ((address, needs),) = asked
            return {asked[0]: await self._client.get(address, needs=needs, may_be_missing=True)}
        parts = [asked[start : start + _MOST] for start in range(0, len(asked), _MOST)]
        found = await asyncio.gather(*(self._part(part) for part in parts))
        return {question: answer for part in found for question, answer in part.items()}

    async def _part(self, asked: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Answer | Exception]:
        try:
            answers, _ = await self._each(asked)
        except DirectoryError as error:  # the batch as a whole
            return dict.fromkeys(asked, error)
        return dict(zip(asked, answers, strict=True))

    async def _each(self, asked: Sequence[tuple[str, str]]) -> tuple[list[Answer | DirectoryError], list[Answer]]:
        found: dict[int, Answer | DirectoryError] = {}
        batches: list[Answer] = []
        tries = 0
        while len(found) < len(asked):
            tries += 1
            left = {number: address for number, (address, _) in enumerate(asked) if number not in found}
            needed = dict.fromkeys(asked[number][1] for number in left)
            batch = await self._client.post_reading(_ADDRESS, _body(left), needs=" and ".join(needed))
            batches.append(batch)
            again: list[DirectoryError] = []
            for number, answer in _items(batch, left).items():
                if answer.status == HTTPStatus.OK or (
                    answer.status == HTTPStatus.NOT_FOUND and answer.fault.code == NOT_FOUND
                ):
                    found[number] = answer
                    continue
                error = refused(answer, asked[number][1])
                if self._client.may_repeat(error, tries):
                    again.append(error)
                else:
                    found[number] = error
            if again:
                await self._client.wait(again, tries)
        return [found[number] for number in range(len(asked))], batches


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
            headers=httpx.Headers({"request-id": batch.request_id} | one.header_texts("headers")),
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
