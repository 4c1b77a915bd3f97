"""What reaches the core from any channel, and what goes back: commands, card actions, replies. No channel, no SDK.

The `Actor` is made by the channel from its verified identity, never from a payload. `Dispatch` is implemented by
`bot/router.py`; a channel calls it and draws the `Reply`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from cards.view import CardView
from reclaim.domain.ids import PersonId
from reclaim.domain.read_models import ExportedFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """`/reclaim …` as typed.

    Attributes:
        person_id: As the channel verified it; roles are looked up by the router.
        channel: web, console, teams, slack.
        text: All behind `/reclaim`, as typed.
        private: False in a team channel, where only public-safe answers may be given.
        key: The channel's own id of this request, for de-duplication.
        files: Name as typed → content, of the files that the text names: the command line reads them.
    """

    person_id: PersonId
    channel: str
    text: str
    key: str
    private: bool = True
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A click on a card.

    Attributes:
        verb, ref, batch: As encoded in the card, decoded strictly (`cards/payload.py`); untrusted.
        inputs: Input id → value, as text ("true"/"false" for boxes); untrusted.
        message_id: The channel's id of the message that was clicked.
        key: The channel's own id of this click: the same key twice is one click.
    """

    person_id: PersonId
    channel: str
    verb: str
    ref: str
    key: str
    batch: str | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    message_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the person gets back.

    Attributes:
        replace: Redraws the clicked message; None leaves it as it is.
        cards: New messages at the foot of the chat.
        toast: One sentence said where the person is (Teams error answer, Slack ephemeral, browser toast).
        error: The toast tells of a refusal, so the input is kept.
        misused: What was typed is at fault: an unknown verb, or an argument that does not fit. The command line exits 2.
        unwell: What was asked was done, and it found something to mend. The command line exits 1.
        in_private: Messages for the asker alone: the answer to a question that was put in a channel of many.
        files: Files for the asker, in private.
    """

    replace: CardView | None = None
    cards: tuple[CardView, ...] = ()
    toast: str | None = None
    error: bool = False
    misused: bool = False
    unwell: bool = False
    in_private: tuple[CardView, ...] = ()
    files: tuple[ExportedFile, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A verb that this person may type: `usage` with its arguments, one line of what it does."""

    verb: str
    usage: str
    summary: str


class Dispatch(Protocol):
    """The way in for every channel. Never raises for bad input: the reply says what to do."""

    async def command(self, command: Command) -> Reply:
        """Carry out a typed command."""
        ...

    async def action(self, action: Action) -> Reply:
        """Carry out a click."""
        ...

    async def suggestions(self, person: PersonId) -> tuple[Suggestion, ...]:
        """Return the verbs that this person may use."""
        ...

    async def people(self, person: PersonId, text: str) -> tuple[tuple[PersonId, str], ...]:
        """Return at most ten people whose name matches, for a people picker: (id, shown name)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A message as a transport sent it."""

    external_id: str
    payload_sha256: str


class Transport(Protocol):
    """One channel's way out. `bot/outbound.py` chooses the transport and keeps the records.

    Methods raise DeliveryError; `permanent` says whether trying again can help.
    """

    @property
    def channel(self) -> str:
        """The channel's name."""
        ...

    async def check(self) -> None:
        """Make one harmless call that shows whether the service takes us in, for the checkup.

        Raises:
            PortError: It does not, or did not answer.
        """
        ...

    async def reach(self, person: PersonId) -> str | None:
        """Return the private conversation with this person, or None if the channel does not reach them."""
        ...

    async def send(self, conversation: str, card: CardView) -> Sent:
        """Post a card at the foot of the conversation."""
        ...

    async def update(self, conversation: str, external_id: str, card: CardView) -> Sent:
        """Redraw a message in place."""
        ...
