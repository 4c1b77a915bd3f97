"""A small practice world behind the browser chat: dispatch, tenant, clock and tokens, with public state."""

from datetime import UTC, datetime, timedelta

from aiohttp import web

from bot.inbound import Action, Command, Reply, Suggestion
from bot.web.chat import WebChat
from bot.web.conversations import Conversations, WebTransport
from bot.web.routes import setup
from bot.web.security import LaunchGate, PersonaSessions
from bot.web.watch import CampaignNumbers, GraphCall, Group, PanelNumbers, Persona, SkuBar
from reclaim.domain.ids import PersonId
from reclaim.domain.read_models import ExportedFile
from tests.web import sample_cards

TOKEN = "launch-token-of-this-test"
ALLAN, MEGAN, LEE = PersonId("p-allan"), PersonId("p-megan"), PersonId("p-lee")
START = datetime(2026, 11, 23, 9, tzinfo=UTC)

CAST = tuple(
    Persona(
        id=name.split()[0].lower(),
        person_id=PersonId(f"p-{name.split()[0].lower()}"),
        name=name,
        line=line,
        group=group,
    )
    for name, line, group in (
        ("Allan Deyoung", "Admin", Group.RUN),
        ("Lynne Robbins", "License manager", Group.RUN),
        ("Christie Cline", "Auditor", Group.RUN),
        ("Megan Bowen", "Marketing, 9 reports", Group.REVIEW),
        ("Ben Walters", "Sales, 12 reports", Group.REVIEW),
        ("Debra Berger", "Operations, 10 reports", Group.REVIEW),
        ("Adele Vance", "Retail", Group.HOLD),
        ("Isaiah Langer", "Marketing", Group.HOLD),
    )
)
SUGGESTIONS = (
    Suggestion(verb="status", usage="status", summary="progress of the open campaign"),
    Suggestion(verb="spend", usage="spend", summary="what idle seats cost, by SKU"),
    Suggestion(verb="seats", usage="seats SKU", summary="the accounts behind a number"),
    Suggestion(verb="start", usage="start", summary="a new campaign, with a preview first"),
    Suggestion(verb="close", usage="close", summary="close the campaign early"),
    Suggestion(verb="sync", usage="sync", summary="read the tenant again"),
    Suggestion(verb="export", usage="export", summary="the evidence as a file"),
    Suggestion(verb="help", usage="help", summary="what you can ask"),
)


class FakeTokens:
    """Ids in order: never the same twice."""

    def __init__(self) -> None:
        self.count = 0

    def new_id(self) -> str:
        self.count += 1
        return f"{self.count:032x}"

    def new_row_id(self) -> str:
        return self.new_id()

    def new_salt(self) -> bytes:
        return bytes(16)


class FakeClock:
    """Calendar and practice clock in one."""

    def __init__(self) -> None:
        self.at = START
        self.told: tuple[str, ...] = ()

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("the web chat does not sleep by the clock")

    async def advance(self, by: timedelta) -> tuple[str, ...]:
        self.at += by
        return self.told

    async def to_closing(self) -> tuple[str, ...]:
        self.at = datetime(2026, 12, 4, 17, tzinfo=UTC)
        return self.told


class FakeWatch:
    """A tenant whose numbers the test or the demo sets."""

    def __init__(self) -> None:
        self.log = [
            GraphCall(seq=1, method="POST", path="/oauth2/v2.0/token", status=200),
            GraphCall(seq=2, method="GET", path="/users/delta?$select=…", status=200),
            GraphCall(seq=3, method="GET", path="/users/6f1a…/manager", full="/users/6f1a22c0-77/manager", status=200),
            GraphCall(
                seq=4, method="GET", path="/users?$select=signInActivity…", status=429, note="wait 3 s, then again"
            ),
            GraphCall(seq=5, method="GET", path="/users?$select=signInActivity…", status=200),
            GraphCall(seq=6, method="GET", path="/subscribedSkus", status=200, note="400 people, 763 seats read"),
        ]
        self.campaign: CampaignNumbers | None = None
        self.recoverable = "$3,244"

    async def calls(self, after: int) -> list[GraphCall]:
        return [call for call in self.log if call.seq > after]

    async def panel(self) -> PanelNumbers:
        bars = tuple(
            SkuBar(name=name, share=sum_ / 798 if sum_ else None, amount=f"${sum_}", unpriced=0 if sum_ else 6)
            for name, _, _, sum_ in sample_cards.SKUS
        )
        return PanelNumbers(
            idle=114, held=763, recoverable=self.recoverable, read="read 06:00", skus=bars, campaign=self.campaign
        )


class FakeDispatch:
    """Answers with the sample cards and keeps what it was asked."""

    def __init__(self) -> None:
        self.commands: list[Command] = []
        self.actions: list[Action] = []
        self.replies: dict[str, Reply] = {
            "spend": Reply(cards=(sample_cards.spend(),)),
            "start": Reply(cards=(sample_cards.form(),)),
            "status": Reply(cards=(sample_cards.status(),)),
            "inbox": Reply(cards=(sample_cards.wave(),)),
            "export": Reply(
                cards=(sample_cards.status(),),
                files=(ExportedFile(name="Q4 seat clean-up.csv", media_type="text/csv", content=b"seat,answer\n"),),
            ),
            "spend.seats": Reply(toast="No seats behind this in the demo.", error=True),
            "campaign.form": Reply(replace=sample_cards.form()),
            "campaign.preview": Reply(replace=sample_cards.preview()),
            "wave.revoke": Reply(replace=sample_cards.wave(decided=True)),
            "wave.undo": Reply(replace=sample_cards.wave()),
            "wave.show": Reply(replace=sample_cards.wave()),
            "wave.delegate": Reply(replace=sample_cards.delegate()),
            "wave.keep": Reply(replace=sample_cards.wave(decided=True)),
            "wave.not_sure": Reply(toast="Tick at least one seat.", error=True),
            "item.show": Reply(replace=sample_cards.item()),
        }

    async def command(self, command: Command) -> Reply:
        self.commands.append(command)
        return self.replies.get(command.text, Reply(toast=f"I do not know “{command.text}”.", error=True))

    async def action(self, action: Action) -> Reply:
        self.actions.append(action)
        if action.verb == "campaign.preview" and not action.inputs.get("name"):
            return Reply(replace=sample_cards.form(error="Please give it a name."))
        return self.replies.get(action.verb, Reply(toast="Not in this demo.", error=True))

    async def suggestions(self, person: PersonId) -> tuple[Suggestion, ...]:
        return SUGGESTIONS

    async def people(self, person: PersonId, text: str) -> tuple[tuple[PersonId, str], ...]:
        return tuple((who.person_id, who.name) for who in CAST if text.lower() in who.name.lower())[:10]


class World:
    """Everything wired, as `app.py` does it."""

    def __init__(self, port: int, dispatch: FakeDispatch | None = None) -> None:
        self.clock, self.watch, self.dispatch = FakeClock(), FakeWatch(), dispatch or FakeDispatch()
        tokens = FakeTokens()
        self.conversations = Conversations(CAST, name_of=self._name_of, clock=self.clock, tokens=tokens)
        self.transport = WebTransport(self.conversations)
        self.chat = WebChat(
            conversations=self.conversations,
            dispatch=self.dispatch,
            watch=self.watch,
            clock=self.clock,
            tenant="Practice tenant, 400 people",
            zone="Europe/London",
            run="run-1",
        )
        self.app = web.Application()
        setup(self.app, self.chat, gate=LaunchGate(token=TOKEN, port=port), sessions=PersonaSessions(tokens))

    async def _name_of(self, person: PersonId) -> str | None:
        return "Lee Gu" if person == LEE else None
