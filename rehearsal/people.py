"""Everybody of the practice tenant as they are at the start, computed from their number and the seed.

Nothing is kept per person, so that a tenant of a million people starts as one of four hundred; what changes later is
state of the directory. People are numbered: first the cast, then the named traps, then directors, then teams of one
manager and nine reports. Managers report to directors, directors to directors of a lower number, the first director to
the head of the company.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from rehearsal.cases import BLOCKED, RECIPES, SHARES, WITHOUT_SIGN_INS, Case, GroupKey, Recipe, gives_seat
from rehearsal.cast import CAST
from rehearsal.catalog import Sku
from rehearsal.clock import DAY
from rehearsal.identity import Draws, Identities
from rehearsal.names import DEPARTMENTS, GIVEN, SURNAMES, USAGE_LOCATIONS
from rehearsal.traps import ALIASES, NAMED, NUMBERS

DOMAIN = "contoso.example"
FALLBACK_DOMAIN = "contoso-cloud.example"  # what every tenant has from its start
FEWEST, MOST = len(CAST), 1_000_000
EARLIEST_START = datetime(2024, 9, 1, tzinfo=UTC)

# lastSuccessfulSignInDateTime exists since this day and was not backfilled (resources/signinactivity), so that only a
# younger account without sign-ins is known to have never signed in.
_SIGN_IN_DATA_SINCE = datetime(2023, 12, 1, tzinfo=UTC)

_TEAM = 10
_TEAMS_PER_DIRECTOR = 10
_TEAMS_PER_FORMER_MANAGER = 12
_TEAM_WITH_FORMER_MANAGER = 5
_FORMER_MANAGER, _ORPHANS = 1, (2, 3)
_WITHOUT_USAGE_LOCATION = 50
_NAME_STEP = 1009  # shares no factor with the number of name pairs, so that pairs repeat as late as possible
_HABIT = 7 * DAY
_GUEST_MARK = "_fabrikam.example#EXT#"  # how the user principal name of a guest tells the home tenant

# What somebody does every week while tenant time moves.
ATTEMPTS, BACKGROUND, SUCCESSES = "interactive", "background", "successful"
_HABITS: dict[Case, frozenset[str]] = {
    Case.ACTIVE: frozenset({ATTEMPTS, BACKGROUND, SUCCESSES}),
    Case.PASSWORD_SPRAY: frozenset({ATTEMPTS}),
    Case.BACKGROUND_ONLY: frozenset({BACKGROUND}),
    Case.ROOM_DEVICE: frozenset({BACKGROUND, SUCCESSES}),
    Case.SYNC_ACCOUNT: frozenset({BACKGROUND, SUCCESSES}),
}
# What kind of worker Entra says somebody is, of every 20 people; and of accounts that are nobody.
_EMPLOYEE_TYPES = ("Contractor", "Contractor", "Intern", *["Employee"] * 17)
_SERVICE, _RESOURCE = "Service", "Resource"
_ACCOUNT_TYPES: dict[Case, str] = {
    Case.SERVICE_ACCOUNT: _SERVICE,
    Case.SYNC_ACCOUNT: _SERVICE,
    Case.BREAK_GLASS: _SERVICE,
    Case.TEST_ACCOUNT: _SERVICE,
    Case.ROOM_DEVICE: _RESOURCE,
    Case.ROOM_MAILBOX: _RESOURCE,
    Case.SHARED_MAILBOX: _RESOURCE,
    Case.GUEST: "Contractor",
}
# Names of generated accounts that are no people.
_ACCOUNT_NAMES: dict[Case, tuple[str, str]] = {
    Case.SERVICE_ACCOUNT: ("Service", "Account"),
    Case.SHARED_MAILBOX: ("Shared", "Mailbox"),
}


@dataclass(slots=True)
class License:
    """One path by which a person has a product.

    Attributes:
        sku: The product.
        group: Key of the group that hands it out; None if assigned directly.
        updated_at: When the path last changed, in seconds since 1970.
        disabled_plans: Ids of the service plans that are switched off.
        state: Graph's word for the assignment.
        error: Graph's word for what is wrong with it; None if nothing is.
    """

    sku: Sku
    group: str | None
    updated_at: int
    disabled_plans: tuple[str, ...] = ()
    state: str = "Active"
    error: str | None = None

    @property
    def counts(self) -> bool:
        """It takes one of the bought seats."""
        return gives_seat(self.state)


@dataclass(slots=True)
class SignIns:
    """The three sign-in instants, in seconds since 1970; None if there never was such a sign-in.

    Attributes:
        repeats: Names of the instants that come again every week while tenant time moves.
    """

    interactive: int | None
    background: int | None
    successful: int | None
    repeats: frozenset[str] = frozenset()

    def at(self, now: int) -> "SignIns":
        """Return the instants as they stand at tenant time `now`."""
        if not self.repeats:
            return self
        known = {name: getattr(self, name) for name in self.repeats}
        passed = max(0, (now - max(known.values())) // _HABIT * _HABIT)
        return replace(self, **{name: instant + passed for name, instant in known.items()})


@dataclass(slots=True)
class Person:
    """One account; the baseline of `People` or, once touched, state of the directory."""

    number: int
    id: str
    given_name: str
    surname: str
    alias: str
    department: str
    job: str
    usage_location: str | None
    manager: int | None
    enabled: bool
    created_at: int
    sign_ins: SignIns | None
    employee_type: str = "Employee"
    guest: bool = False
    restricted: bool = False
    contact_manager: bool = False
    rerouted: bool = False  # the mailbox's license went, and Exchange made another address the primary one
    licenses: list[License] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The display name."""
        return f"{self.given_name} {self.surname}"

    @property
    def upn(self) -> str:
        """The user principal name."""
        return f"{self.alias}{_GUEST_MARK if self.guest else ''}@{DOMAIN}"

    @property
    def mail(self) -> str:
        """The primary mail address; a guest's is the one at home."""
        if self.guest:
            return f"{self.alias}@fabrikam.example"
        return f"{self.alias}@{FALLBACK_DOMAIN}" if self.rerouted else self.upn

    @property
    def proxy_addresses(self) -> list[str]:
        """All addresses, as `proxyAddresses` marks them: the primary one in capitals."""
        others = [self.upn] if self.rerouted else []
        return [f"SMTP:{self.mail}", *(f"smtp:{other}" for other in others)]

    def held_skus(self) -> set[Sku]:
        """Return the products that count as a seat, each once however many paths lead to it."""
        return {license_.sku for license_ in self.licenses if license_.counts}


class People:
    """The people of one tenant at its start.

    Attributes:
        count: How many there are.
        identities: Their ids.
        start: Tenant time at the start, in seconds since 1970.
    """

    def __init__(self, *, count: int, seed: int, start: int) -> None:
        if not FEWEST <= count <= MOST:
            message = f"a practice tenant has from {FEWEST} to {MOST:,} people, not {count:,}"
            raise ValueError(message)
        if start < int(EARLIEST_START.timestamp()):
            message = f"a practice tenant starts on {EARLIEST_START:%Y-%m-%d} or later"
            raise ValueError(message)
        self.count = count
        self.identities = Identities(seed)
        self._seed = seed
        self.start = start
        generated = max(0, count - len(NAMED))
        self._directors = -(-generated // (_TEAM * _TEAMS_PER_DIRECTOR + 1))
        self._slots = _shuffled_slots(seed)

    def number_of_alias(self, alias: str) -> int | None:
        """Return the number of the person with this first part of the user principal name, or None."""
        wanted = alias.lower().removesuffix(_GUEST_MARK.lower())
        if wanted in ALIASES:
            return ALIASES[wanted] if ALIASES[wanted] < self.count else None
        digits = wanted[len(wanted.rstrip("0123456789")) :]
        number = int(digits[:8]) if digits else self.count
        if not len(NAMED) <= number < self.count:
            return None
        return number if self._labels(number, self.case_of(number)[0])[2] == wanted else None

    def case_of(self, number: int) -> tuple[Case, Recipe]:
        """Return what kind of person this is, and what they hold at the start."""
        if number < len(NAMED):
            return NAMED[number].case, NAMED[number].seats
        generated = number - len(NAMED)
        team, place = self._place(generated)
        if team is None or place == 0:
            return _pick(Case.ACTIVE, generated if team is None else team)
        if team % _TEAMS_PER_FORMER_MANAGER == _TEAM_WITH_FORMER_MANAGER:
            if place == _FORMER_MANAGER:
                return _pick(Case.DISABLED, team)
            if place in _ORPHANS:
                return _pick(Case.DISABLED_MANAGER, team + place)
        round_, slot = divmod(team * (_TEAM - 1) + place - 1, len(self._slots))
        case, rank = self._slots[(slot + 37 * round_) % len(self._slots)]
        return _pick(case, rank + round_ * SHARES.get(case, rank + 1))

    def manager_of(self, number: int) -> int | None:
        """Return the number of the person's manager, or None."""
        if number < len(NAMED):
            name = NAMED[number].manager
            manager = None if name is None else NUMBERS[name]
            return manager if manager is not None and manager < self.count else None
        generated = number - len(NAMED)
        team, place = self._place(generated)
        if team is None:
            return len(NAMED) + generated // _TEAMS_PER_DIRECTOR if generated else 0
        if place == 0:
            return len(NAMED) + team // _TEAMS_PER_DIRECTOR
        case, _ = self.case_of(number)
        if case is Case.NO_MANAGER:
            return None
        leader = number - place
        return leader + _FORMER_MANAGER if case is Case.DISABLED_MANAGER else leader

    def baseline(self, number: int) -> Person:
        """Return a fresh copy of the person as at the start."""
        case, recipe = self.case_of(number)
        draws = Draws(self._seed, f"person/{number}")
        given, surname, alias, department, job = self._labels(number, case)
        seen_days = self._last_seen_days(number, case, draws)
        created_at = self.start - self._account_days(case, draws) * DAY - draws.take(DAY)
        return Person(
            number=number,
            id=self.identities.person(number),
            given_name=given,
            surname=surname,
            alias=alias,
            department=department,
            job=job,
            usage_location=None if case is Case.NO_USAGE_LOCATION else self._usage_location(number, draws),
            manager=self.manager_of(number),
            enabled=case not in BLOCKED,
            created_at=created_at,
            sign_ins=None if seen_days is None else self._sign_ins(seen_days, case, draws),
            employee_type=_ACCOUNT_TYPES.get(case) or _employee_type(number, draws),
            guest=case is Case.GUEST,
            restricted=case is Case.RESTRICTED_PERSON,
            contact_manager=case is Case.CONTACT_MANAGER,
            licenses=list(self._licenses(case, recipe, created_at, draws)),
        )

    def _place(self, generated: int) -> tuple[int | None, int]:
        """Return the team and the place in it; no team for directors, place 0 for managers."""
        if generated < self._directors:
            return None, 0
        return divmod(generated - self._directors, _TEAM)

    def _labels(self, number: int, case: Case) -> tuple[str, str, str, str, str]:
        """Return given name, surname, alias, department and job title."""
        if number < len(NAMED):
            player = NAMED[number]
            given, surname = player.name.split(" ", 1)
            return given, surname, player.alias, player.department, player.job
        given, surname = _ACCOUNT_NAMES.get(case) or _name_pair(number)
        alias = f"{given}.{surname}{number}".lower()
        team, place = self._place(number - len(NAMED))
        if team is None:
            return given, surname, alias, "Executive", "Director"
        department = DEPARTMENTS[team % len(DEPARTMENTS)]
        job = f"{department} {'Manager' if place == 0 else 'Specialist'}"
        if case in _ACCOUNT_NAMES:
            return given, f"{surname} {number}", alias, department, f"{given} {surname}".capitalize()
        return given, surname, alias, department, job

    def _usage_location(self, number: int, draws: Draws) -> str | None:
        location = USAGE_LOCATIONS[draws.take(len(USAGE_LOCATIONS))]
        if number < len(NAMED):
            return "US"
        return None if number % _WITHOUT_USAGE_LOCATION == _WITHOUT_USAGE_LOCATION - 1 else location

    def _last_seen_days(self, number: int, case: Case, draws: Draws) -> int | None:
        drawn_active, drawn_disabled, drawn_idle = draws.take(20), draws.between(30, 200), draws.between(91, 399)
        if number < len(NAMED):
            return NAMED[number].last_seen_days
        if case in WITHOUT_SIGN_INS:
            return None
        if case is Case.ACTIVE:
            return drawn_active
        return drawn_disabled if case is Case.DISABLED else drawn_idle

    def _account_days(self, case: Case, draws: Draws) -> int:
        """Return the age of the account in whole days."""
        days_of_data = (self.start - int(_SIGN_IN_DATA_SINCE.timestamp())) // DAY
        match case:
            case Case.NEW_STARTER:
                return 10
            case Case.NEVER_SIGNED_IN:
                return draws.between(200, min(days_of_data - 2, 600))
            case Case.NO_DATA:
                return days_of_data + draws.between(5, 1500)
            case _:
                return draws.between(500, 2500)

    def _sign_ins(self, seen_days: int, case: Case, draws: Draws) -> SignIns:
        latest = self.start - seen_days * DAY - draws.take(DAY // 4)
        background, lately = latest - draws.take(3 * DAY), self.start - draws.take(3 * DAY)
        repeats = _HABITS.get(case, frozenset())
        match case:
            case Case.PASSWORD_SPRAY:
                return SignIns(lately, background, latest, repeats)
            case Case.BACKGROUND_ONLY:
                return SignIns(latest, lately, None, repeats)
            case Case.ROOM_DEVICE | Case.SYNC_ACCOUNT:
                return SignIns(None, lately, lately, repeats)
            case Case.SUCCESS_ONLY:
                return SignIns(None, None, latest)
            case _:
                return SignIns(latest, background, latest, repeats)

    def _licenses(self, case: Case, recipe: Recipe, created_at: int, draws: Draws) -> Iterator[License]:
        for plan in recipe:
            for group in plan.paths:
                given_at = max(
                    self.start - _assigned_days(case, draws) * DAY - draws.take(DAY), created_at + draws.take(DAY // 8)
                )
                yield License(plan.sku, group, given_at, plan.disabled_plans, plan.state, plan.error)


def group_seats(recipe: Recipe) -> Iterator[GroupKey]:
    """Return the groups through which a recipe hands out its seats."""
    return (group for plan in recipe for group in plan.paths if group is not None)


def _assigned_days(case: Case, draws: Draws) -> int:
    """Return how many days before the start a license was given."""
    if case is Case.FRESH_ASSIGNMENT:
        return draws.between(3, 7)
    return draws.between(20, 300) if case in BLOCKED else draws.between(100, 480)


def _employee_type(number: int, draws: Draws) -> str:
    drawn = _EMPLOYEE_TYPES[draws.take(len(_EMPLOYEE_TYPES))]
    return "Employee" if number < len(CAST) else drawn


def _name_pair(number: int) -> tuple[str, str]:
    first, last = divmod(number * _NAME_STEP % (len(GIVEN) * len(SURNAMES)), len(SURNAMES))
    return GIVEN[first], SURNAMES[last]


def _pick(case: Case, turn: int) -> tuple[Case, Recipe]:
    recipes = RECIPES[case]
    return case, recipes[turn % len(recipes)]


def _shuffled_slots(seed: int) -> tuple[tuple[Case, int], ...]:
    """Return 100 cases in the order of the seed, each with its rank among its like."""
    slots = [(case, rank) for case, share in SHARES.items() for rank in range(share)]
    slots += [(Case.ACTIVE, rank) for rank in range(100 - len(slots))]
    random.Random(seed).shuffle(slots)
    return tuple(slots)
