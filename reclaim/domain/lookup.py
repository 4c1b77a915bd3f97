"""Find what somebody means by a text: an exact match in any case, or the nearest names; never a guess."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import SequenceMatcher

from reclaim.domain.directory import Sku
from reclaim.domain.ids import ProductId
from reclaim.errors import InvalidRequest

NEAREST = 3
_LIKE_ENOUGH = 0.4  # below it a suggestion is noise
_SHOWN = 60  # characters of a text that is repeated in a message


def folded(text: str) -> str:
    """Return a text as it is compared: without case and superfluous spaces."""
    return " ".join(text.split()).casefold()


def shown(text: str) -> str:
    """Return what somebody wrote as it is repeated in a message: one line, cut."""
    line = " ".join(text.split())
    return f"“{line[:_SHOWN]}…”" if len(line) > _SHOWN else f"“{line}”"


def one_of(names: Sequence[str]) -> str:
    """Return "A", "A or B", "A, B or C"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def match_product(text: str, skus: Mapping[ProductId, Sku]) -> ProductId:
    """Return the product with this name, part number or skuId, in any case.

    Raises:
        InvalidRequest: There is none, and the message names the nearest; or two bear this name.
    """
    wanted = folded(text)
    found = [sku for sku in skus.values() if wanted in (folded(sku.part_number), folded(sku.id))]
    found = found or [sku for sku in skus.values() if wanted == folded(sku.name)]
    if len(found) == 1:
        return found[0].id
    if found:
        numbers = one_of(sorted(sku.part_number for sku in found))
        raise InvalidRequest(
            f"{len(found)} SKUs are called {shown(text)}. Use the part number: {numbers}.", field="sku"
        )
    near = [name for _, name in nearest_products(text, skus.values())]
    raise InvalidRequest(f"No SKU is called {shown(text)}.{_hint(near)}", field="sku")


def nearest_products(text: str, skus: Iterable[Sku]) -> list[tuple[ProductId, str]]:
    """Return up to three products whose name or part number is most like `text`, best first."""
    scored = sorted(
        ((max(likeness(text, sku.name), likeness(text, sku.part_number)), sku.name, sku.id) for sku in skus),
        key=lambda one: (-one[0], one[1].casefold(), one[2]),
    )
    return [(product, name) for score, name, product in scored[:NEAREST] if score >= _LIKE_ENOUGH]


def match_name(text: str, names: Iterable[str], *, kind: str, field: str) -> str:
    """Return the name that equals `text` in any case.

    Raises:
        InvalidRequest: There is none, and the message names the nearest.
    """
    wanted = folded(text)
    known = {folded(name): name for name in names}
    if wanted in known:
        return known[wanted]
    scored = sorted(((likeness(text, name), name) for name in known.values()), key=lambda one: (-one[0], one[1]))
    near = [name for score, name in scored[:NEAREST] if score >= _LIKE_ENOUGH]
    raise InvalidRequest(f"No {kind} is called {shown(text)}.{_hint(near)}", field=field)


def likeness(text: str, name: str) -> float:
    """Return 0 to 1; a name that contains all that was typed is nearer than any that only resembles it."""
    wanted, known = folded(text), folded(name)
    if wanted and wanted in known:
        return 1.0
    return SequenceMatcher(None, wanted, known).ratio()


def _hint(near: Sequence[str]) -> str:
    return f" Did you mean {one_of(near)}?" if near else ""
