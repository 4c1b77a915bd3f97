"""Files to a person in Teams: they are asked first, then we upload to their OneDrive.

Nothing is kept in between: the question carries how the file was asked for, and the answer asks for it again, as the person
who answers and with the roles that they have then. Shapes: "Send and receive files" of the Teams documentation.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import httpx

from reclaim.domain.read_models import ExportedFile
from reclaim.errors import DeliveryError, InvalidRequest

INVOKE: Final = "fileConsent/invoke"
CONSENT: Final = "application/vnd.microsoft.teams.card.file.consent"
INFO: Final = "application/vnd.microsoft.teams.card.file.info"
# OneDrive of all clouds. A leading dot: any host below it.
UPLOAD_HOSTS: Final = (".sharepoint.com", ".sharepoint.us", ".sharepoint-mil.us", ".sharepoint.cn")
_TIMEOUT_S: Final = 30.0
_MAX_TEXT: Final = 2_000  # upload addresses carry long permissions
_UNREADABLE: Final = "We cannot read this answer. Ask for the file again."

Attachment = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """How a file was asked for: by a command's text, or by a click's verb and reference."""

    command: str | None = None
    verb: str | None = None
    ref: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """A person's answer to "may I store this file?".

    Attributes:
        upload_url, content_url, unique_id, file_type: Where to, from Teams; None where they said no.
    """

    source: Source
    name: str
    accepted: bool
    upload_url: str = ""
    content_url: str = ""
    unique_id: str = ""
    file_type: str = ""


def ask(file: ExportedFile, source: Source) -> Attachment:
    """Return the question whether the file may be stored."""
    context = {"v": 1, "file": file.name, "command": source.command, "verb": source.verb, "ref": source.ref}
    return {
        "contentType": CONSENT,
        "name": file.name,
        "content": {
            "description": file.name,
            "sizeInBytes": len(file.content),
            "acceptContext": context,
            "declineContext": context,
        },
    }


def read(activity: Mapping[str, object]) -> Consent:
    """Return the answer that came back; all of it is untrusted.

    Raises:
        InvalidRequest: It is no answer to a question of ours.
    """
    value = _mapping(activity.get("value"))
    context, upload = _mapping(value.get("context")), _mapping(value.get("uploadInfo"))
    name, command, verb, ref = (_text(context.get(key)) for key in ("file", "command", "verb", "ref"))
    if context.get("v") != 1 or name is None or (command is None) == (verb is None or ref is None):
        raise InvalidRequest(_UNREADABLE)
    source = Source(command=command) if command is not None else Source(verb=verb, ref=ref)
    if value.get("action") != "accept":
        return Consent(source=source, name=name, accepted=False)
    places = [_text(upload.get(key)) for key in ("uploadUrl", "contentUrl", "uniqueId", "fileType")]
    if any(place is None for place in places):
        raise InvalidRequest(_UNREADABLE)
    upload_url, content_url, unique_id, file_type = (place or "" for place in places)
    return Consent(
        source=source,
        name=name,
        accepted=True,
        upload_url=upload_url,
        content_url=content_url,
        unique_id=unique_id,
        file_type=file_type,
    )


def info(consent: Consent) -> Attachment:
    """Return the message that opens the stored file."""
    return {
        "contentType": INFO,
        "name": consent.name,
        "contentUrl": consent.content_url,
        "content": {"uniqueId": consent.unique_id, "fileType": consent.file_type},
    }


def may_upload(address: str, hosts: tuple[str, ...] = UPLOAD_HOSTS) -> bool:
    """Whether a file may go there: evidence goes to the asker's own OneDrive and nowhere else."""
    try:
        url = urlsplit(address)
        host, port = url.hostname or "", url.port
    except ValueError:
        return False
    return (
        address.isascii()
        and url.scheme == "https"
        and port in (None, 443)
        and url.username is None
        and any(host.endswith(known) for known in hosts)
    )


class Uploads:
    """Puts files where Teams says.

    Args:
        client: Follows no redirects; sends no token of ours, since the address itself is the permission.
        may: Whether an address is one of OneDrive's.
    """

    def __init__(self, client: httpx.AsyncClient, may: Callable[[str], bool] = may_upload) -> None:
        self._client = client
        self._may = may

    async def put(self, consent: Consent, content: bytes) -> None:
        """Upload a file.

        Raises:
            DeliveryError: It could not be stored.
        """
        if not self._may(consent.upload_url):
            raise DeliveryError("Teams named a place for the file that is not OneDrive.", permanent=True)
        size = len(content)
        try:
            answer = await self._client.put(
                consent.upload_url,
                content=content,
                headers={"Content-Range": f"bytes 0-{size - 1}/{size}", "Content-Type": "application/octet-stream"},
                timeout=_TIMEOUT_S,
            )
        except httpx.HTTPError as error:
            raise DeliveryError("OneDrive does not answer.") from error
        if answer.status_code not in (200, 201):
            raise DeliveryError(f"OneDrive did not take the file ({answer.status_code}).", permanent=True)


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= _MAX_TEXT else None
