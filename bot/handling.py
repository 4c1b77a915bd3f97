"""What a handler receives and answers with: commands and clicks alike."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.inbound import Reply
from bot.parsing import Arguments
from bot.services import Services
from cards.control import HelpLine
from cards.form import Filled
from cards.view import CardView
from reclaim.domain.roles import Actor, Role
from reclaim.errors import InvalidRequest, NotAuthorized

CONSOLE = "console"  # the channel without buttons, and the only one where the operator acts


class RoleNeeded(NotAuthorized):
    """The actor has none of the roles; the reply names them and whom to ask."""

    def __init__(self, roles: frozenset[Role]) -> None:
        super().__init__("This needs another role.")
        self.roles = roles


class FormRefused(Exception):
    """A form came back with a mistake: it is drawn again with its input kept."""

    def __init__(self, form: CardView, message: str) -> None:
        super().__init__(message)
        self.form = form
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request of a verified person.

    Attributes:
        zone: The reader's IANA zone.
        key: The channel's id of this request: the same key twice is one request.
    """

    services: Services
    actor: Actor
    zone: str
    key: str

    @property
    def now(self) -> datetime:
        """The calendar time."""
        return self.services.clock.now()

    def require(self, roles: frozenset[Role]) -> None:
        """Go on only with one of these roles.

        Raises:
            RoleNeeded: The actor has none of them.
        """
        if not self.actor.may(roles):
            raise RoleNeeded(roles)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Asked):
    """A typed command with its arguments; `files` holds the content of files that it names, where a channel has any."""

    arguments: Arguments
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Click(Asked):
    """A click on a card; `ref`, `batch` and `inputs` are untrusted."""

    ref: str
    batch: str | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)

    def filled(self, error: InvalidRequest) -> Filled:
        """Return the form's input as it came, with what is wrong with it."""
        return Filled(values=self.inputs, field=error.field, error=error.message)


CommandHandler = Callable[[Call], Awaitable[Reply]]
ActionHandler = Callable[[Click], Awaitable[Reply]]
Present = Callable[[Click], Awaitable[CardView | None]]


class Group(StrEnum):
    """The headings of the help."""

    LOOK = "Look"
    ASK = "Ask"
    STOP = "Stop"
    PROVE = "Prove"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """One `/reclaim` verb; help, suggestions, README and the authorization test come from it.

    Attributes:
        name: One or two words.
        usage: With its arguments.
        roles: Who may use it.
        options, flags: Names of `--name value` and `--flag`.
        lists: Names of `--name value` that may be given several times.
        public: Whether the answer may stand in a channel: no facts about a person.
    """

    name: str
    summary: str
    usage: str
    example: str
    group: Group
    roles: frozenset[Role]
    handler: CommandHandler
    options: frozenset[str] = frozenset()
    flags: frozenset[str] = frozenset()
    lists: frozenset[str] = frozenset()
    public: bool = False

    @property
    def takes_words(self) -> bool:
        """Whether its usage has something besides options; words behind a verb that has no use for them are a mistake."""
        return self.line.short != self.name

    @property
    def line(self) -> HelpLine:
        """How the help shows it."""
        return HelpLine(
            verb=self.name, group=self.group.value, usage=self.usage, summary=self.summary, example=self.example
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionVerb:
    """One verb of a button.

    Attributes:
        roles: Who may use it; whether the actor is the reviewer in question is for the service to say.
        present: Draws the present state, for a click on a card that is out of date.
        repeatable: The same click twice does what one does, as it only reads, or as its use case knows its key: the
            router need not remember it, which would be a commit of its own.
    """

    name: str
    roles: frozenset[Role]
    handler: ActionHandler
    present: Present | None = None
    repeatable: bool = False
