"""What may become of a campaign, in few words of our own: the oracle of the state machine.

It knows each seat by the label that the test gave it, never by the fields that the product's planner reads, and it follows
who was asked and what they answered. It shares no rule with `reclaim.domain`: where both say the same, they say it apart.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from enum import Enum

from reclaim.domain.campaign import Silence
from reclaim.domain.ids import CampaignId, GroupId, ItemId, PersonId, ProductId
from reclaim.domain.review import Choice
from tests.services.campaign_world import E5, NORA
from tests.services.world import ALLAN, E3, MEGAN, PROJECT, VISIO, VISIO_GROUP

DYNAMIC_GROUP = GroupId("group-dynamic")
OWNER_GROUP = GroupId("11111111-2222-3333-4444-555555555555")  # owns Visio where a campaign asks license owners
OWNERS = (NORA, ALLAN)
MOST_HAND_OVERS = 3


class Label(Enum):
    """What the test meant a seat to be."""

    FREE = "may be removed"
    MAILBOX = "the only mailbox of its holder"
    ONE_OF_TWO = "one of two mailboxes"
    BY_HAND = "through a group that nobody but a person may write"


@dataclass(frozen=True)
class Given:
    """A seat at the start: its product, its groups (None: direct), and what it is meant to be."""

    product: ProductId
    groups: tuple[GroupId | None, ...]
    label: Label


DISABLED = "ivy"  # flagged because the account is disabled, so that signing in is no sign of use
CAST: dict[str, tuple[Given, ...]] = {
    "ada": (Given(VISIO, (None,), Label.FREE),),
    "ben": (Given(VISIO, (VISIO_GROUP,), Label.FREE),),
    "cleo": (Given(VISIO, (None, VISIO_GROUP), Label.FREE),),
    "dora": (Given(E3, (None,), Label.MAILBOX), Given(PROJECT, (None,), Label.FREE)),
    "raul": (Given(E3, (None,), Label.ONE_OF_TWO), Given(E5, (None,), Label.ONE_OF_TWO)),
    "gus": (Given(VISIO, (DYNAMIC_GROUP,), Label.BY_HAND),),
    DISABLED: (Given(VISIO, (None,), Label.FREE),),
    NORA: (Given(VISIO, (None,), Label.FREE), Given(PROJECT, (None,), Label.FREE)),  # a reviewer too
}
MAY_REVIEW = (MEGAN, NORA, ALLAN)
Key = tuple[str, str]  # holder, product


@dataclass
class Asked:
    """One seat that somebody is asked about."""

    id: ItemId
    holder: str
    product: str
    label: Label
    assignee: str | None
    choice: Choice | None = None
    by: str | None = None
    unsure_by: str | None = None
    passed_on: list[tuple[str, str | None]] = field(default_factory=list)  # by whom, and who had it before
    hand_overs: int = 0
    batch: str | None = None

    @property
    def key(self) -> Key:
        return self.holder, self.product

    @property
    def passed_by(self) -> str | None:
        """Who may take it back."""
        return self.passed_on[-1][0] if self.passed_on else None

    def is_with(self, who: str | None) -> bool:
        """Rule 4: the present assignee, or a member of the group, and never the holder."""
        return who in (OWNERS if self.assignee == OWNER_GROUP else (self.assignee,)) and who != self.holder

    def may_answer(self, by: str, choice: Choice) -> bool:
        """Rules 4 and 6: who has it; in a group the first answer counts; no mailbox is revoked; only an answer is undone."""
        if not self.is_with(by) or (self.choice is not None and self.by != by):
            return False
        if choice is Choice.REVOKE and self.label is Label.MAILBOX:
            return False
        return choice is not Choice.WITHDRAWN or self.choice is not None

    def answer(self, by: str, choice: Choice, batch: str) -> None:
        """Not sure moves it once to the fallback reviewer, who is Allan, and decides nothing."""
        if choice is Choice.NOT_SURE and self.unsure_by is None and ALLAN not in (by, self.holder):
            self.assignee, self.unsure_by = ALLAN, by
            self.passed_on.clear()
            self.choice = self.by = self.batch = None
        elif choice is Choice.WITHDRAWN:
            self.choice = self.by = self.batch = None
        else:
            self.choice, self.by, self.batch = choice, by, batch

    def may_pass_on(self, by: str, to: str) -> bool:
        """Rule 4: an open seat, by who has it, to somebody who does not hold it, three times."""
        allowed = self.is_with(by) and self.choice is None
        return allowed and to not in (self.holder, by) and self.hand_overs < MOST_HAND_OVERS

    def pass_on(self, by: str, to: str) -> None:
        self.passed_on.append((by, self.assignee))
        self.assignee = to
        self.hand_overs += 1

    def may_take_back(self, by: str) -> bool:
        return by == self.passed_by and self.choice is None

    def may_give_back(self, by: str) -> bool:
        return self.is_with(by) and self.passed_by is not None and self.choice is None

    def return_it(self) -> None:
        """Taken back or given back, it is where it was before."""
        _, self.assignee = self.passed_on.pop()

    def may_be_moved(self, to: str) -> bool:
        """Rule 4: an admin moves what is open, never to its holder."""
        return self.choice is None and to not in (self.assignee, self.holder)

    def move(self, to: str) -> None:
        self.assignee, self.hand_overs = to, 0
        self.passed_on.clear()


@dataclass
class Review:
    """One campaign as the people around it know it."""

    id: CampaignId
    silence: Silence
    dry_run: bool
    asked: dict[Key, Asked] = field(default_factory=dict)
    is_abandoned: bool = False

    def removal_approved(self, key: Key, shown: Callable[[Asked], bool]) -> bool:
        """Rule 3: an answer, or silence where the campaign says so, to somebody who has seen the seat and said nothing."""
        asked = self.asked.get(key)
        if asked is None or asked.label in (Label.MAILBOX, Label.BY_HAND):
            return False
        if asked.choice is not None:
            return asked.choice is Choice.REVOKE
        # Without an answer what we recommend is to revoke each seat that can be.
        return self.silence is not Silence.KEEP and asked.unsure_by is None and shown(asked)


@dataclass
class Brake:
    """Rule 8: who has stopped the writes and who wants them to go on."""

    frozen: bool = False
    asked_by: PersonId | None = None

    def may_resume(self, by: PersonId, admins: Collection[PersonId]) -> bool:
        return self.frozen and self.asked_by is not None and by in admins and by != self.asked_by
