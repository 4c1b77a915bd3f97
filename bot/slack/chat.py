"""What people do in Slack, carried to the core and answered: commands, clicks, forms, the Home tab.

Slack waits three seconds for an answer and then tells the person that something failed. So each request waits for the core
for a little less, answers, and what Slack is to show goes out behind the answer: a click's new card to its `response_url`
(which costs none of the few updates that Slack allows a minute), a form as a modal, everything else as a new message. The
answer to a decision leaves when the decision is stored.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any, Final, Protocol, TypeVar

import structlog

from bot.background import Background
from bot.inbound import Action, Command, Dispatch, Reply
from bot.slack import CHANNEL, clicks
from bot.slack.api import SlackApi, SlackError
from bot.slack.clicks import Body, From, Metadata, Place, Surface
from bot.slack.installs import Installs, Workspace
from bot.slack.people import SlackPeople
from bot.slack.transport import SlackTransport
from cards import block_kit
from cards.block_kit_parts import inert, read_value, value_of
from cards.control import message_card
from cards.payload import OldCard, Payload
from cards.strangers import WORDS, Stranger, stranger_card
from cards.view import Action as Button
from cards.view import CardView, Strip, Tone
from reclaim.domain.ids import PersonId
from reclaim.errors import DeliveryError, InvalidRequest, ReclaimError

# Slack gives up after 3 s; the way back and our own work take some of it.
ANSWER_WITHIN_S: Final = 2.0
HOME: Final = Payload("inbox.open", "open", None)
_WORKING: Final = "Working on it. The answer comes here."
_SAVING: Final = "Saving your answer…"
_IN_PRIVATE: Final = "The answer is in your direct messages with Reclaim."
_FAILED: Final = "That did not work. Nothing was changed."
_TOO_LATE: Final = "That took too long to open. Press the button again."
_LATER: Final = "Slack did not answer us in time. Try again in a minute."

T = TypeVar("T")

log = structlog.get_logger(__name__)


class Mirror(Protocol):
    """Redraws the live message of a list after it was answered somewhere else."""

    async def answered(self, action: Action) -> None:
        """Redraw the live message that this click concerns, unless it is the one that was clicked."""
        ...


class SlackChat:
    """Answers whatever the guard and the SDK let through.

    Args:
        dispatch: The way into the core.
        mirror: None where nothing else shows what is shown here.
        within_s: How long an answer may wait for the core.
    """

    def __init__(
        self,
        *,
        dispatch: Dispatch,
        transport: SlackTransport,
        api: SlackApi,
        installs: Installs,
        people: SlackPeople,
        background: Background,
        mirror: Mirror | None = None,
        within_s: float = ANSWER_WITHIN_S,
    ) -> None:
        self._dispatch = dispatch
        self._transport = transport
        self._api = api
        self._installs = installs
        self._people = people
        self._background = background
        self._mirror = mirror
        self._within_s = within_s

    async def command(self, body: Body) -> Body:
        """Answer `/reclaim …`: always to the asker alone."""
        sender = clicks.who_of(body)
        place = clicks.place_of(body)

        async def run() -> tuple[Workspace, Reply] | str:
            known = await self._known(sender)
            if isinstance(known, str):
                return known
            workspace, person = known
            text, key = body.get("text"), clicks.key_of(body)
            reply = await self._dispatch.command(
                Command(person_id=person, channel=CHANNEL, text=text if isinstance(text, str) else "", key=key)
            )
            return workspace, reply

        work = asyncio.ensure_future(run())
        done = await self._soon(work, lambda found: self._after_command(sender, place, found, late=True))
        if done is None:
            return _ephemeral(_WORKING)
        if isinstance(done, str):
            return _ephemeral(done)
        return self._answer_command(sender, place, done)

    async def click(self, body: Body) -> None:
        """Carry out a click on a card, in a message, in the Home tab or in a modal."""
        sender, place = clicks.who_of(body), clicks.place_of(body)
        try:
            payload = clicks.clicked(body)
        except OldCard as error:
            self._later(self._tell(sender, place, f"{error.message} Type /reclaim inbox for the present one."))
            return
        except InvalidRequest as error:
            self._later(self._tell(sender, place, error.message))
            return
        if payload is not None:
            await self._act(sender, place, payload, clicks.inputs_of(body), clicks.key_of(body))

    async def submitted(self, body: Body) -> Body:
        """Carry out a form: errors go to their fields, a result to what the form was opened from."""
        sender, place = clicks.who_of(body), clicks.place_of(body)
        view = body.get("view")
        metadata = clicks.read_metadata(view)
        try:
            payload = read_value(metadata.submit)
        except InvalidRequest as error:
            return _form_error(view, error.message)

        async def run() -> tuple[Workspace, Action, Reply] | str:
            known = await self._known(sender)
            if isinstance(known, str):
                return known
            workspace, person = known
            action = clicks.action(
                person, payload, key=clicks.key_of(body), inputs=clicks.inputs_of(body), place=place.origin or place
            )
            return workspace, action, await self._dispatch.action(action)

        work = asyncio.ensure_future(run())
        done = await self._soon(work, lambda found: self._after_late_form(sender, place, found))
        if done is None:
            return {"response_action": "update", "view": block_kit.modal(_card(_SAVING), metadata="")}
        if isinstance(done, str):
            return _form_error(view, done)
        workspace, action, reply = done
        self._mirrored(action, reply)
        return self._answer_form(sender, workspace, view, place, reply)

    async def options(self, body: Body) -> Body:
        """Return the people whose name begins with what was typed into a picker."""
        sender = clicks.who_of(body)
        typed = body.get("value")
        try:
            known = await self._known(sender)
        except ReclaimError:
            return {"options": []}
        if isinstance(known, str):
            return {"options": []}
        found = await self._dispatch.people(known[1], typed if isinstance(typed, str) else "")
        return block_kit.people_options(found)

    async def home_opened(self, sender: From, key: str) -> None:
        """Draw the inbox as the Home tab."""
        self._later(self._home(sender, key))

    async def _home(self, sender: From, key: str) -> None:
        workspace = await self._installs.find(sender.team, sender.enterprise)
        if workspace is None:
            return
        who = await self._people.who(workspace, sender.team, sender.user)
        if isinstance(who, Stranger):
            await self._transport.publish(workspace, sender.user, stranger_card(who))
            return
        place = Place(surface=Surface.HOME)
        reply = await self._dispatch.action(clicks.action(who, HOME, key=key, inputs={}, place=place))
        await self._show(sender, workspace, place, reply)

    async def _act(self, sender: From, place: Place, payload: Payload, inputs: dict[str, str], key: str) -> None:
        async def run() -> tuple[Workspace, Action, Reply] | str:
            known = await self._known(sender)
            if isinstance(known, str):
                return known
            workspace, person = known
            action = clicks.action(person, payload, key=key, inputs=inputs, place=place)
            return workspace, action, await self._dispatch.action(action)

        async def after(found: tuple[Workspace, Action, Reply] | str) -> None:
            if isinstance(found, str):
                await self._tell(sender, place, found)
                return
            workspace, action, reply = found
            self._mirrored(action, reply)
            await self._show(sender, workspace, place, reply)

        done = await self._soon(asyncio.ensure_future(run()), after)
        if done is None:
            self._later(self._tell(sender, place, _SAVING))
        else:
            self._later(after(done))

    async def _known(self, sender: From) -> tuple[Workspace, PersonId] | str:
        """Return where and who this is, or what to tell them instead."""
        try:
            workspace = await self._installs.find(sender.team, sender.enterprise)
            if workspace is None:
                return WORDS[Stranger.OUTSIDE]
            # In a shared channel members of other organisations meet ours: their own workspace tells them apart.
            if not workspace.org_wide and sender.home is not None and sender.home != sender.team:
                return WORDS[Stranger.OUTSIDE]
            who = await self._people.who(workspace, sender.team, sender.user)
        except ReclaimError as error:
            log.warning("it could not be found out who this is", error=error.code)
            return _LATER
        return WORDS[who] if isinstance(who, Stranger) else (workspace, who)

    def _answer_command(self, sender: From, place: Place, done: tuple[Workspace, Reply]) -> Body:
        """Return the first card as the answer itself; all else follows behind it."""
        workspace, reply = done
        first = next((card for card in reply.cards if not block_kit.is_form(card)), None)
        rest = replace(reply, cards=tuple(card for card in reply.cards if card is not first))
        if rest.cards or rest.files or rest.in_private or (first is not None and reply.toast):
            self._later(self._show(sender, workspace, place, rest))
        if first is not None:
            return {"response_type": "ephemeral", **block_kit.message(first)}
        if reply.toast:
            return _ephemeral(reply.toast)
        return {} if rest.cards or rest.files else _ephemeral(_IN_PRIVATE)

    async def _after_command(
        self, sender: From, place: Place, found: tuple[Workspace, Reply] | str, *, late: bool
    ) -> None:
        if isinstance(found, str):
            await self._tell(sender, place, found)
            return
        workspace, reply = found
        if late and not (reply.cards or reply.toast or reply.files):
            await self._tell(sender, place, _IN_PRIVATE)
        await self._show(sender, workspace, place, reply)

    def _answer_form(self, sender: From, workspace: Workspace, view: object, place: Place, reply: Reply) -> Body:
        card = reply.replace or next(iter(reply.cards), None)
        if card is None:
            if reply.error:
                return _form_error(view, reply.toast or _FAILED)
            self._later(self._show(sender, workspace, place.origin or place, reply))
            return {"response_action": "clear"}
        if block_kit.is_form(card):
            errors = clicks.errors_at(view, block_kit.fields_with_errors(card))
            if errors:
                return {"response_action": "errors", "errors": errors}
            return {"response_action": "update", "view": _modal(card, place.origin)}
        if place.origin is not None:
            self._later(
                self._show(sender, workspace, place.origin, replace(reply, replace=card, cards=reply.cards[1:]))
            )
            return {"response_action": "clear"}
        return {"response_action": "update", "view": _modal(_with_words(card, reply), None)}

    async def _after_late_form(self, sender: From, place: Place, found: tuple[Workspace, Action, Reply] | str) -> None:
        if isinstance(found, str):
            await self._tell(sender, place, found)
            return
        workspace, action, reply = found
        self._mirrored(action, reply)
        card = reply.replace or next(iter(reply.cards), None)
        if card is None or (place.origin is not None and not block_kit.is_form(card)):
            said = _card(reply.toast or "Done.")
            await self._transport.update_modal(workspace, place.view, block_kit.modal(said, metadata=""))
            if place.origin is not None:
                await self._show(sender, workspace, place.origin, reply)
            return
        await self._transport.update_modal(workspace, place.view, _modal(_with_words(card, reply), place.origin))

    async def _show(self, sender: From, workspace: Workspace, place: Place, reply: Reply) -> None:
        """Draw a reply where it was asked for."""
        card, new = reply.replace, list(reply.cards)
        if card is None and new and place.surface in (Surface.HOME, Surface.MODAL):
            card = new.pop(0)  # there is no foot of a chat there
        if card is not None and reply.error and not block_kit.is_form(card) and place.is_shared:
            card = None  # a refusal is for who clicked; the message belongs to everybody who sees it
        if card is not None:
            await self._quietly(self._redraw(sender, workspace, place, reply, card))
        if reply.toast and (card is None or (reply.error and not block_kit.is_form(card))):
            await self._quietly(self._tell(sender, place, reply.toast))
        for each in new:
            await self._quietly(self._add(sender, workspace, place, each))
        for each in reply.in_private:
            await self._quietly(self._post(workspace, sender.user, each))
        if reply.files:
            await self._hand_over(sender, workspace, place, reply)

    async def _redraw(self, sender: From, workspace: Workspace, place: Place, reply: Reply, card: CardView) -> None:
        shown = card if reply.error else _with_words(card, reply)
        match place.surface:
            case Surface.MODAL:
                shown = _with_words(card, reply)
                await self._transport.update_modal(workspace, place.view, _modal(shown, place.origin))
            case _ if block_kit.is_form(card):
                await self._open(sender, workspace, place, card)
            case Surface.HOME:
                await self._transport.publish(workspace, sender.user, _with_way_back(shown))
            case Surface.MESSAGE | Surface.EPHEMERAL:
                await self._replace(workspace, place, shown)
            case Surface.NONE:
                await self._post(workspace, sender.user, shown)

    async def _open(self, sender: From, workspace: Workspace, place: Place, card: CardView) -> None:
        origin = None if place.surface is Surface.NONE else replace(place, trigger="")
        try:
            await self._transport.open_modal(workspace, place.trigger, _modal(card, origin))
        except SlackError as error:
            # A trigger lives three seconds and opens one modal.
            log.warning("a form could not be opened", error=error.reason)
            await self._tell(sender, place, _TOO_LATE)

    async def _replace(self, workspace: Workspace, place: Place, card: CardView) -> None:
        """Redraw what was clicked: by its own address, and where that is used up by the method that every message has."""
        if place.response_url:
            try:
                await self._api.respond(place.response_url, {"replace_original": True, **block_kit.message(card)})
                return
            except DeliveryError:
                if place.message_id is None:
                    raise
        if place.message_id is not None:
            await self._transport.redraw(workspace, place.message_id, card)

    async def _add(self, sender: From, workspace: Workspace, place: Place, card: CardView) -> None:
        """Show one more card: where only one person sees what was asked, that person alone sees the answer too."""
        if block_kit.is_form(card):
            await self._open(sender, workspace, Place(surface=Surface.NONE, trigger=place.trigger), card)
        elif place.surface is Surface.MESSAGE and place.channel.startswith("D"):
            await self._transport.post(workspace, place.channel, card)
        elif place.response_url:
            body = {"response_type": "ephemeral", "replace_original": False, **block_kit.message(card)}
            await self._api.respond(place.response_url, body)
        else:
            await self._post(workspace, sender.user, card)

    async def _post(self, workspace: Workspace, user: str, card: CardView) -> None:
        await self._transport.post(workspace, user, card)

    async def _tell(self, sender: From, place: Place, text: str) -> None:
        """Say one sentence to the person alone, and change nothing that stands there."""
        url = place.response_url or (place.origin.response_url if place.origin else "")
        if url:
            await self._api.respond(url, {"replace_original": False, **_ephemeral(text)})
            return
        workspace = await self._installs.find(sender.team, sender.enterprise)
        if workspace is not None:
            await self._transport.say(workspace, sender.user, inert(text))

    async def _hand_over(self, sender: From, workspace: Workspace, place: Place, reply: Reply) -> None:
        try:
            await self._transport.hand_over(workspace, sender.user, reply.files)
        except DeliveryError as error:
            log.warning("files could not be handed over", error=error.code)
            await self._quietly(self._tell(sender, place, _LATER))

    def _mirrored(self, action: Action, reply: Reply) -> None:
        if self._mirror is not None and not reply.error:
            self._later(self._mirror.answered(action))

    async def _soon(self, work: "asyncio.Future[T]", late: Callable[[T], Coroutine[Any, Any, None]]) -> T | None:
        """Return what the work gives if it is done in time; else None, and `late` is told when it is."""
        done, _ = await asyncio.wait({work}, timeout=self._within_s)
        if done:
            return work.result()

        async def finish() -> None:
            await late(await work)

        self._later(finish())
        return None

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        self._background.start(work)

    async def _quietly(self, work: Awaitable[None]) -> None:
        try:
            await work
        except DeliveryError as error:
            # What was asked is done; the next look at the card or the inbox shows it.
            log.warning("an answer could not be shown", error=error.code, permanent=error.permanent)


def _modal(card: CardView, origin: Place | None) -> Mapping[str, object]:
    submit = block_kit.submit_action(card)
    return block_kit.modal(card, metadata=Metadata(submit=value_of(submit) if submit else "", origin=origin).written())


def _with_words(card: CardView, reply: Reply) -> CardView:
    if not reply.toast:
        return card
    strip = Strip(tone=Tone.WARNING if reply.error else Tone.NEUTRAL, text=reply.toast)
    return replace(card, body=(strip, *card.body))


def _with_way_back(card: CardView) -> CardView:
    """Return a card as it stands in the Home tab, from where there is always a way to the inbox."""
    if card.back is not None or card.kind == "inbox":
        return card
    return replace(card, back=Button(label="‹ Inbox", verb=HOME.verb, ref=HOME.ref, submits=False))


def _ephemeral(text: str) -> dict[str, object]:
    return {"response_type": "ephemeral", "text": inert(text)}


def _card(text: str) -> CardView:
    return message_card("slack.message", text, headline="Reclaim")


def _form_error(view: object, text: str) -> Body:
    """Return an answer that leaves the form as it is and says why: at its first field, which is all that Slack can do."""
    block = clicks.first_field(view)
    if block is None:
        return {"response_action": "update", "view": block_kit.modal(_card(text), metadata="")}
    return {"response_action": "errors", "errors": {block: text}}
