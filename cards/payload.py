"""What a button carries: `{v, ref, batch?}` beside its verb. It comes back untrusted, so it is read strictly.

The reference is opaque and grants nothing: who may act is checked from the verified channel identity. Inputs of a form
are not part of it; a channel that mixes them in (Teams merges them into `data`) takes them out before `decode`.
"""

import re
from typing import Final, NamedTuple

from cards.view import Action
from reclaim.errors import InvalidRequest

VERSION: Final = 1
MAX_LENGTH: Final = 200  # of each text; our longest reference is well under half of it

_VERB = re.compile(r"[a-z_]+(\.[a-z_]+){1,3}")
_REQUIRED = frozenset({"v", "ref"})
_ALLOWED = _REQUIRED | {"batch"}
_UNREADABLE = "We cannot read this button. Nothing was changed."


class OldCard(InvalidRequest):
    """The card was drawn by another version of Reclaim: it is answered with a new one.

    Attributes:
        ref: The reference it carried, to find out which card to draw, or None if that cannot be read either.
    """

    code = "old_card"

    def __init__(self, ref: str | None) -> None:
        super().__init__("This card is from an older version. Here is the new one.")
        self.ref = ref


class Payload(NamedTuple):
    """A button that came back, its form checked and nothing else."""

    verb: str
    ref: str
    batch: str | None


def encode(action: Action) -> dict[str, int | str]:
    """Return the data of a button; the verb travels beside it.

    Raises:
        ValueError: `decode` would refuse it.
    """
    data: dict[str, int | str] = {"v": VERSION, "ref": action.ref}
    if action.batch is not None:
        data["batch"] = action.batch
    if not (_is_verb(action.verb) and all(_is_text(value) for key, value in data.items() if key != "v")):
        raise ValueError(f"not the verb and reference of a button: {action.verb!r}, {action.ref!r}, {action.batch!r}")
    return data


def decode(verb: object, data: object) -> Payload:
    """Read a button that came back.

    Raises:
        OldCard: The data is of another version.
        InvalidRequest: Anything else than what `encode` makes.
    """
    if not isinstance(data, dict):
        raise InvalidRequest(_UNREADABLE)
    version, ref, batch = data.get("v"), data.get("ref"), data.get("batch")
    if type(version) is not int:  # True is an int and equals 1
        raise InvalidRequest(_UNREADABLE)
    if version != VERSION:
        raise OldCard(ref if _is_text(ref) else None)
    if not _REQUIRED <= data.keys() <= _ALLOWED:
        raise InvalidRequest(_UNREADABLE)
    if not (isinstance(verb, str) and isinstance(ref, str) and _is_verb(verb) and _is_text(ref)):
        raise InvalidRequest(_UNREADABLE)
    if "batch" in data and not _is_text(batch):
        raise InvalidRequest(_UNREADABLE)
    return Payload(verb, ref, batch)


def checked_link(link: str) -> str:
    """Return the link of a download: a path of the channel or an https address.

    Raises:
        ValueError: It leads anywhere else, such as to a script or another host.
    """
    if re.fullmatch(r"(https://[\w.:-]+)?/(?!/)[!-\[\]-~]*", link) is None:
        raise ValueError(f"not the path of a download: {link!r}")
    return link


def _is_verb(verb: str) -> bool:
    return len(verb) <= MAX_LENGTH and _VERB.fullmatch(verb) is not None


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= MAX_LENGTH and value.isprintable()
