"""Who somebody in Slack is in the directory, and the other way round: by confirmed mail address, or as an admin has set it.

A display name is never looked at. Guests, bots and people of other organisations are nobody here. What was found is kept for
a day, so that an account that changes hands or is closed does not speak for its former owner for long.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog

from bot.slack import CHANNEL
from bot.slack.api import BLOCKED, SlackApi, SlackError
from bot.slack.installs import Installs, Workspace
from cards.strangers import Stranger
from reclaim.domain.directory import Person
from reclaim.domain.ids import PersonId
from reclaim.errors import DeliveryError
from reclaim.ports.storage import Identity, Work
from reclaim.ports.system import Clock
from reclaim.together import Together

KEEP: Final = timedelta(days=1)
KEEP_WHILE_SLACK_IS_SILENT: Final = timedelta(days=7)
FRESH_S: Final = 60.0  # a person clicks many times in a minute
MOST_FRESH: Final = 20_000
# So many single look-ups, then the whole list once: 1,000 reviewers at 50 look-ups a minute would take 20 minutes.
SINGLES: Final = 30
LIST_AGAIN: Final = timedelta(hours=1)
PAGE: Final = 500
_NOT_FOUND: Final = "users_not_found"

_Known = tuple[Identity | None, Person | None]  # what is stored of a member, and of the person that they are

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackUser:
    """A member as Slack describes them.

    Attributes:
        mail: Lower case; None if there is none or it is not confirmed.
        inside: Whether this is a full member of the workspace, or of its organisation: no guest, bot or stranger.
    """

    team: str
    id: str
    mail: str | None
    inside: bool


class SlackPeople:
    """Matches members with people.

    Args:
        by_hand: Slack user id or mail address (lower case) → object id, as an admin has set it.
        monotonic: Seconds that only grow.
    """

    def __init__(
        self,
        *,
        api: SlackApi,
        installs: Installs,
        work: Work,
        clock: Clock,
        by_hand: Mapping[str, PersonId],
        monotonic: Callable[[], float],
    ) -> None:
        self._api = api
        self._installs = installs
        self._work = work
        self._clock = clock
        self._by_hand = by_hand
        self._monotonic = monotonic
        self._known = Together(self._read_known)
        self._fresh: dict[str, tuple[PersonId, float]] = {}
        self._lock = asyncio.Lock()
        self._singles = 0
        self._listed_at: dict[str, float] = {}

    async def who(self, workspace: Workspace, team: str, user: str) -> PersonId | Stranger:
        """Return who acts, or why they are not served.

        Raises:
            DeliveryError: Slack did not say who this is.
        """
        place = conversation(team, user)
        fresh = self._fresh.get(place)
        if fresh is not None and fresh[1] > self._monotonic():
            return fresh[0]
        known, person = await self._known.ask(place)
        age = self._clock.now() - known.updated_at if known else KEEP
        if known is None or known.state != "known" or person is None or age >= KEEP:
            try:
                found = await self._ask(workspace, team, user)
            except DeliveryError as error:
                if person is None or age >= KEEP_WHILE_SLACK_IS_SILENT or error.permanent:
                    raise
                log.warning("Slack did not say who somebody is; yesterday's answer is used", error=error.code)
                found = person
            if isinstance(found, Stranger):
                return found
            person = found
        if not person.can_review:
            return Stranger.UNKNOWN
        if len(self._fresh) >= MOST_FRESH:
            del self._fresh[next(iter(self._fresh))]
        self._fresh[place] = (person.id, self._monotonic() + FRESH_S)
        return person.id

    async def _read_known(self, places: Sequence[str]) -> dict[str, _Known | Exception]:
        async with self._work.read() as reading:
            known = await reading.identities.of_conversations(CHANNEL, places)
            people = await reading.people.get_many(one.person_id for one in known.values())
        found: dict[str, _Known | Exception] = {}
        for place in places:
            one = known.get(place)
            found[place] = (one, people.get(one.person_id) if one else None)
        return found

    async def find(self, person: PersonId) -> str | None:
        """Return the conversation with a person, or None: Slack does not know them, or does not let us write to them.

        Raises:
            DeliveryError: Slack did not answer; a later try can help.
        """
        now = self._clock.now()
        async with self._work.read() as reading:
            known = await reading.identities.get(CHANNEL, person)
            who = await reading.people.get(person)
        if known is not None and now - known.updated_at < KEEP:
            return known.conversation if known.state == "known" else None
        if who is None or not who.can_review:
            return None
        for workspace in await self._installs.all():
            user = await self._user_of(workspace, who)
            if user is not None:
                place = conversation(user.team, user.id)
                await self._put(person, user, state="known", why=None)
                return place
        await self._block(person, known, _NOT_FOUND)
        return None

    async def refused(self, place: str, why: str) -> None:
        """Note that Slack does not let us write to somebody: they are reached elsewhere, or named to the admin."""
        async with self._work.read() as reading:
            known = (await reading.identities.of_conversations(CHANNEL, [place])).get(place)
        if known is not None:
            await self._block(known.person_id, known, why)

    async def _ask(self, workspace: Workspace, team: str, user: str) -> Person | Stranger:
        said = await self._api.call(workspace.id, workspace.token, "users.info", {"user": user})
        found = read_user(said.get("user"), workspace, team)
        if found is None or not found.inside or found.id != user:
            return Stranger.OUTSIDE
        person = await self._person_of(found)
        if isinstance(person, Person):
            await self._put(person.id, found, state="known", why=None)
        return person

    async def _person_of(self, user: SlackUser) -> Person | Stranger:
        set_by_hand = self._by_hand.get(user.id.lower()) or self._by_hand.get(user.mail or "")
        async with self._work.read() as reading:
            if set_by_hand is not None:
                person = await reading.people.get(set_by_hand)
                return person if person is not None and person.can_review else Stranger.UNKNOWN
            if user.mail is None:
                return Stranger.NO_MAIL
            found = await reading.people.by_address([user.mail])
        people = [each for each in found.get(user.mail, ()) if each.can_review]
        if len(people) > 1:
            return Stranger.AMBIGUOUS
        return people[0] if people else Stranger.UNKNOWN

    async def _user_of(self, workspace: Workspace, person: Person) -> SlackUser | None:
        async with self._work.read() as reading:
            own = await reading.people.addresses_of(person.id)
        by_hand = [key for key, ref in self._by_hand.items() if ref == person.id]
        for key in by_hand:
            if "@" not in key:
                return await self._member(workspace, {"user": key.upper()}, "users.info")
        mails = [*(key for key in by_hand if "@" in key), *own]
        if self._listed_lately(workspace):
            return None  # the list was joined just now, and this person is not on it
        if self._singles >= SINGLES:
            return await self._list_for(workspace, person.id)
        for mail in dict.fromkeys(mails):
            self._singles += 1
            user = await self._member(workspace, {"email": mail}, "users.lookupByEmail")
            if user is not None:
                return user
        return None

    async def _member(self, workspace: Workspace, asked: Mapping[str, object], method: str) -> SlackUser | None:
        team = None if workspace.org_wide else workspace.id
        try:
            said = await self._api.call(workspace.id, workspace.token, method, asked)
        except SlackError as error:
            if error.reason == _NOT_FOUND or error.reason in BLOCKED:
                return None
            raise
        user = read_user(said.get("user"), workspace, team)
        return user if user is not None and user.inside else None

    async def _list_for(self, workspace: Workspace, person: PersonId) -> SlackUser | None:
        """Read all members once, keep everybody who matches, and return this person."""
        async with self._lock:
            if not self._listed_lately(workspace):
                await self._read_list(workspace)
                self._listed_at[workspace.id] = self._monotonic()
                self._singles = 0
        async with self._work.read() as reading:
            known = await reading.identities.get(CHANNEL, person)
        if known is None or known.state != "known" or known.conversation is None or known.user_ref is None:
            return None
        if self._clock.now() - known.updated_at >= KEEP:
            return None
        team, _ = place_of(known.conversation)
        return SlackUser(team=team, id=known.user_ref, mail=None, inside=True)

    async def _read_list(self, workspace: Workspace) -> None:
        team = None if workspace.org_wide else workspace.id
        cursor = ""
        while True:
            said = await self._api.call(
                workspace.id, workspace.token, "users.list", {"limit": PAGE, "cursor": cursor or None}
            )
            members = said.get("members")
            await self._join(
                [
                    user
                    for each in (members if isinstance(members, list) else [])
                    if (user := read_user(each, workspace, team)) is not None and user.inside
                ]
            )
            more = said.get("response_metadata")
            following = more.get("next_cursor") if isinstance(more, Mapping) else None
            if not isinstance(following, str) or not following or following == cursor:
                return
            cursor = following

    async def _join(self, users: list[SlackUser]) -> None:
        async with self._work.read() as reading:
            people = await reading.people.by_address([user.mail for user in users if user.mail])
        matched: list[tuple[PersonId, SlackUser]] = []
        for user in users:
            by_hand = self._by_hand.get(user.id.lower()) or self._by_hand.get(user.mail or "")
            found = [each for each in people.get(user.mail or "", ()) if each.can_review]
            if by_hand is not None:
                matched.append((by_hand, user))
            elif len(found) == 1:
                matched.append((found[0].id, user))
        await self._put_all(matched)

    async def _put(self, person: PersonId, user: SlackUser, *, state: str, why: str | None) -> None:
        async with self._work.write() as unit:
            await unit.identities.put(self._identity(person, user, state, why))
            await unit.commit()

    async def _put_all(self, matched: Iterable[tuple[PersonId, SlackUser]]) -> None:
        async with self._work.write() as unit:
            for person, user in matched:
                await unit.identities.put(self._identity(person, user, "known", None))
            await unit.commit()

    def _identity(self, person: PersonId, user: SlackUser, state: str, why: str | None) -> Identity:
        return Identity(
            channel=CHANNEL,
            person_id=person,
            user_ref=user.id,
            conversation=conversation(user.team, user.id),
            state=state,
            why=why,
            updated_at=self._clock.now(),
        )

    async def _block(self, person: PersonId, known: Identity | None, why: str) -> None:
        blocked = Identity(
            channel=CHANNEL,
            person_id=person,
            user_ref=known.user_ref if known else None,
            conversation=known.conversation if known else None,
            state="blocked",
            why=why,
            updated_at=self._clock.now(),
        )
        async with self._work.write() as unit:
            await unit.identities.put(blocked)
            await unit.commit()

    def _listed_lately(self, workspace: Workspace) -> bool:
        at = self._listed_at.get(workspace.id)
        return at is not None and self._monotonic() - at < LIST_AGAIN.total_seconds()


def read_user(said: object, workspace: Workspace, team: str | None) -> SlackUser | None:
    """Read a user object; None if it is none. Ids are opaque: U… and W… are both users.

    https://docs.slack.dev/reference/objects/user-object
    """
    if not isinstance(said, Mapping) or not isinstance(said.get("id"), str):
        return None
    profile = said.get("profile")
    mail = profile.get("email") if isinstance(profile, Mapping) else None
    confirmed = said.get("is_email_confirmed") is not False
    flags = ("deleted", "is_bot", "is_restricted", "is_ultra_restricted", "is_stranger", "is_app_user")
    home = said.get("team_id")
    grid = said.get("enterprise_user")
    enterprise = grid.get("enterprise_id") if isinstance(grid, Mapping) else None
    ours = enterprise == workspace.id if workspace.org_wide else home in (None, workspace.id)
    inside = ours and not any(said.get(flag) is True for flag in flags) and said["id"] != "USLACKBOT"
    return SlackUser(
        team=team or (home if isinstance(home, str) else workspace.id),
        id=said["id"],
        mail=mail.strip().lower() if isinstance(mail, str) and "@" in mail and confirmed else None,
        inside=inside,
    )


def conversation(team: str, user: str) -> str:
    """Return our name of the private conversation with a member."""
    return f"{team}/{user}"


def place_of(place: str) -> tuple[str, str]:
    """Return workspace and member of a conversation."""
    team, _, user = place.partition("/")
    return team, user
