"""What every export does alike: name its files by their digests, and attest that somebody took them."""

import hashlib
from collections.abc import Mapping

from reclaim.domain.attestation import Event, EventKind, Fact
from reclaim.domain.read_models import ExportedFile, FileDigest
from reclaim.domain.roles import Actor
from reclaim.services.attesting import Attestor


def digest(file: ExportedFile) -> FileDigest:
    """Return a file's name with the SHA-256 of its bytes."""
    return FileDigest(name=file.name, sha256=hashlib.sha256(file.content).hexdigest())


def exported(
    attest: Attestor,
    actor: Actor,
    about: str,
    files: Mapping[str, ExportedFile],
    *,
    events: int,
    facts: Mapping[str, Fact] | None = None,
) -> Event:
    """Return the event that files were handed out.

    Args:
        about: Id of the campaign or the program.
        files: By the word under which the event keeps their digest: `html`: `html_sha256`.
        events: How many events they tell of. The event about the export is not in them.
        facts: What else is known.
    """
    digests = {f"{word}_sha256": digest(file).sha256 for word, file in files.items()}
    return attest.event(
        EventKind.EXPORTED,
        actor=actor.id,
        campaign=about,
        facts={"events": events, "channel": actor.channel, **digests, **(facts or {})},
    )
