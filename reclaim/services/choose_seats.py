"""From what somebody typed, picked or pasted to the scope of a campaign: nothing unknown or ambiguous is guessed."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from reclaim.domain.campaign import Scope
from reclaim.domain.directory import Person, Sku
from reclaim.domain.ids import PersonId, ProductId, SeatId, seat_id
from reclaim.domain.lookup import folded, match_name, match_product, shown
from reclaim.domain.people_list import PERSON, SKU, Listed, Mistake, read_list, refuse
from reclaim.errors import InvalidRequest
from reclaim.ports.storage import UnitOfWork, Work

Found = TypeVar("Found", bound=str)

_SEPARATORS = "\n;,"
_MOST_NAMES = 50  # people in a list that are looked up by their display name, each with a search of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeAsked:
    """Which seats are wanted, as written.

    Attributes:
        skus: Each a name, part number or skuId, or several parted by commas or semicolons.
        departments: Each a name, or several parted so.
        listed: A list of people or a CSV: see `domain.people_list`.
        csv_only: `listed` comes from a CSV file, so its header must be there.
    """

    days: int
    rules: tuple[str, ...] = ()
    skus: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    listed: str = ""
    csv_only: bool = False


class ChooseSeats:
    """Finds SKUs, departments and people by what they are called."""

    def __init__(self, *, work: Work) -> None:
        self._work = work

    async def scope(self, asked: ScopeAsked) -> Scope:
        """Return the scope that was asked for.

        Raises:
            InvalidRequest: A SKU, a department, a person or a row of the list is unknown, ambiguous or unreadable; the
                message says where it stands, what is nearest or what to do.
        """
        rows, mistakes = read_list(asked.listed, csv_only=asked.csv_only)
        async with self._work.read() as reading:
            skus = await reading.catalog.skus()
            departments = await reading.people.departments() if asked.departments else []
            people = await _people(reading, rows)
        products = _each(asked.skus, lambda text: match_product(text, skus))
        names = _each(
            asked.departments, lambda text: match_name(text, departments, kind="department", field="department")
        )
        persons, seats, unknown = _named(rows, people, skus)
        if mistakes or unknown:
            raise refuse([*mistakes, *unknown])
        return Scope(
            days=asked.days,
            rules=asked.rules,
            product_ids=tuple(dict.fromkeys(products)),
            departments=tuple(dict.fromkeys(names)),
            person_ids=tuple(dict.fromkeys(persons)),
            seat_ids=tuple(dict.fromkeys(seats)),
        )

    async def person(self, text: str, *, field: str) -> PersonId:
        """Return the one person with this id, sign-in name, address or display name.

        Raises:
            InvalidRequest: There is none, or more than one.
        """
        async with self._work.read() as reading:
            found = (await _people(reading, [Listed(1, text)]))[folded(text)]
        if len(found) != 1:
            raise InvalidRequest(_not_one(text, found), field=field)
        return found[0].id


def _each(texts: Iterable[str], match: Callable[[str], Found], separators: str = _SEPARATORS) -> list[Found]:
    """Match every text as a whole, since a name may hold a comma, and else its parts by the stronger separator first."""
    found: list[Found] = []
    for text in filter(str.strip, texts):
        try:
            found.append(match(text.strip()))
        except InvalidRequest:
            if not any(separator in text for separator in separators):
                raise
            found += _each(text.split(separators[0]), match, separators[1:])
    return found


async def _people(reading: UnitOfWork, rows: Sequence[Listed]) -> Mapping[str, list[Person]]:
    """Return who bears each text of the rows: by id, sign-in name or address, and if nobody does, by display name."""
    texts = dict.fromkeys(folded(row.person) for row in rows)
    found: dict[str, list[Person]] = defaultdict(list)
    for person in await reading.people.named(texts):
        for key in {folded(own) for own in (person.id, person.upn, person.mail) if own}:
            found[key].append(person)
    left = [text for text in texts if text not in found and "@" not in text]
    for text in left[:_MOST_NAMES]:
        found[text] += [one for one in await reading.people.search(text, 5) if folded(one.name or "") == text]
    return found


def _named(
    rows: Sequence[Listed], people: Mapping[str, list[Person]], skus: Mapping[ProductId, Sku]
) -> tuple[list[PersonId], list[SeatId], list[Mistake]]:
    persons: list[PersonId] = []
    seats: list[SeatId] = []
    mistakes: list[Mistake] = []
    products: dict[str, ProductId | InvalidRequest] = {}
    for row in rows:
        found = people.get(folded(row.person), [])
        if len(found) != 1:
            mistakes.append(Mistake(row.line, PERSON, _not_one(row.person, found)))
        if row.sku is None:
            persons += [one.id for one in found[:1]]
            continue
        if row.sku not in products:
            products[row.sku] = _product(row.sku, skus)
        product = products[row.sku]
        if isinstance(product, InvalidRequest):
            mistakes.append(Mistake(row.line, SKU, product.message))
        else:
            seats += [seat_id(one.id, product) for one in found[:1]]
    return persons, seats, mistakes


def _product(text: str, skus: Mapping[ProductId, Sku]) -> ProductId | InvalidRequest:
    try:
        return match_product(text, skus)
    except InvalidRequest as error:
        return error


def _not_one(text: str, found: Sequence[Person]) -> str:
    if not found:
        return f"nobody in the tenant is {shown(text)}. Use the sign-in name, the address or the object id."
    logins = ", ".join(sorted(person.upn for person in found[:3]))
    return f"{len(found)} people are {shown(text)}: {logins}. Use the sign-in name or the object id."
