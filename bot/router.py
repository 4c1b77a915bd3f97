"""Inbound → authorization → handler → reply. The one edge of a request: no error leaves it, each one is said."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

import structlog

from bot.actions import ACTIONS
from bot.commands import COMMANDS
from bot.guard import Rate, SeenRequests, check_key
from bot.handling import CONSOLE, ActionVerb, Call, Click, FormRefused, RoleNeeded, Verb
from bot.inbound import Action, Command, Reply, Suggestion
from bot.nearest import nearest_second_word
from bot.parsing import Arguments, arguments, split, without_prefix
from bot.replies import not_known, refusal, to_action, to_command, to_unexpected, too_fast, unknown
from bot.services import Services
from cards.control import in_private_card
from cards.view import CardView
from reclaim.domain.ids import PersonId
from reclaim.domain.roles import ADMIN, Actor, Role
from reclaim.errors import Conflict, InvalidRequest, NotAuthorized, NotFound, ReclaimError

OPERATOR = "operator:"
_RUN_COMMAND = "command.run"
_UNKNOWN_BUTTON = "This button is not known. Nothing was changed."

log = structlog.get_logger(__name__)


class Router:
    """Implements `bot.inbound.Dispatch`."""

    def __init__(
        self,
        services: Services,
        *,
        seen: SeenRequests,
        rate: Rate,
        answering: Callable[[], AbstractContextManager[None]] = nullcontext,
        commands: tuple[Verb, ...] = COMMANDS,
        actions: tuple[ActionVerb, ...] = ACTIONS,
    ) -> None:
        self._services = services
        self._seen = seen
        self._rate = rate
        self._answering = answering
        self._commands = {verb.name: verb for verb in commands}
        self._actions = {verb.name: verb for verb in actions}

    async def command(self, command: Command) -> Reply:
        """Carry out a typed command."""
        reference = self._services.tokens.new_id()[:12]
        wait = self._rate.take(command.person_id)
        if wait:
            return too_fast(wait)
        try:
            with self._answering():
                if not await self._seen.first_time(f"c:{command.channel}:{check_key(command.key)}"):
                    return Reply()
                return await self._command(command)
        except ReclaimError as error:
            # What fails before a handler is found: an unreadable text or key.
            return to_command(error, self._commands["help"])
        except Exception:
            log.exception("a command failed", reference=reference, actor=command.person_id, channel=command.channel)
            return to_unexpected(reference, command=True)

    async def action(self, action: Action) -> Reply:
        """Carry out a click."""
        reference = self._services.tokens.new_id()[:12]
        wait = self._rate.take(action.person_id)
        if wait:
            return too_fast(wait)
        try:
            with self._answering():
                return await self._action(action)
        except ReclaimError as error:
            return to_action(error, None)
        except Exception:
            log.exception(
                "a click failed",
                reference=reference,
                actor=action.person_id,
                channel=action.channel,
                verb=action.verb if action.verb in self._actions else "unknown",
            )
            return to_unexpected(reference, command=False)

    async def suggestions(self, person: PersonId) -> tuple[Suggestion, ...]:
        """Return the verbs that this person may use."""
        actor = await self._actor(person, "")
        return tuple(
            Suggestion(verb=verb.name, usage=verb.usage, summary=verb.summary) for verb in self._allowed(actor)
        )

    async def people(self, person: PersonId, text: str) -> tuple[tuple[PersonId, str], ...]:
        """Return at most ten people whose name matches, for a people picker."""
        if self._rate.take(person):
            return ()
        return await self._services.people.search(text[:100])

    async def _command(self, command: Command) -> Reply:
        actor = await self._actor(command.person_id, command.channel)
        words = without_prefix(split(command.text))
        verb, rest = self._find(words, actor)
        if verb is None:
            return unknown(words, self._allowed(actor))
        log.info("command", verb=verb.name, actor=actor.id, channel=command.channel)
        reply = await self._run(verb, actor, rest, key=command.key, private=command.private, files=command.files)
        if reply.error and (near := nearest_second_word(verb, rest, self._allowed(actor))):
            return not_known((verb.name, *rest), near)
        return reply

    async def _run(
        self,
        verb: Verb,
        actor: Actor,
        rest: tuple[str, ...],
        *,
        key: str,
        private: bool = True,
        files: Mapping[str, str] | None = None,
    ) -> Reply:
        reply = await self._carry_out(verb, actor, rest, key=key, files=files or {})
        # A refusal may name people as well as an answer may.
        return reply if private or verb.public else _for_the_asker(reply)

    async def _carry_out(
        self, verb: Verb, actor: Actor, rest: tuple[str, ...], *, key: str, files: Mapping[str, str]
    ) -> Reply:
        try:
            if not actor.may(verb.roles):
                raise RoleNeeded(verb.roles)
            given = arguments(rest, options=verb.options, flags=verb.flags, lists=verb.lists)
            if given.words and not verb.takes_words:
                raise InvalidRequest(f"“{given.words[0][:40]}” does not fit here: {verb.name} takes options only.")
            return await verb.handler(await self._call(actor, key, given, files))
        except FormRefused as refused:
            return Reply(cards=(refused.form,), error=True)
        except RoleNeeded as error:
            return to_command(error, None, await self._refusal(error, actor))
        except ReclaimError as error:
            return to_command(error, verb)

    def _find(self, words: tuple[str, ...], actor: Actor) -> tuple[Verb | None, tuple[str, ...]]:
        """Return the verb that the words begin with, the longest first; no words at all are a question too."""
        if not words:
            return self._commands["status" if actor.may(ADMIN) else "inbox"], ()
        for length in (2, 1):
            found = self._commands.get(" ".join(words[:length]).lower()) if len(words) >= length else None
            if found is not None:
                return found, words[length:]
        return None, words

    async def _action(self, action: Action) -> Reply:
        check_key(action.key)
        actor = await self._actor(action.person_id, action.channel)
        verb = self._actions.get(action.verb)
        first = (verb is not None and verb.repeatable) or await self._seen.first_time(
            f"a:{action.channel}:{action.person_id}:{action.key}"
        )
        if action.verb == _RUN_COMMAND:
            return await self._run_button(actor, action) if first else Reply()
        if verb is None:
            raise InvalidRequest(_UNKNOWN_BUTTON)
        log.info("click", verb=verb.name, actor=actor.id, channel=action.channel)
        click = await self._click(actor, action)
        if not first:
            return Reply(replace=await self._present(verb, click))
        try:
            if not actor.may(verb.roles):
                raise RoleNeeded(verb.roles)
            return await verb.handler(click)
        except FormRefused as refused:
            return Reply(replace=refused.form, toast=refused.message, error=True)
        except RoleNeeded as error:
            return to_action(error, None, await self._refusal(error, actor))
        except (Conflict, NotAuthorized, NotFound) as error:
            return to_action(error, await self._present(verb, click))

    async def _run_button(self, actor: Actor, action: Action) -> Reply:
        """Carry out the command that a button names, with the roles that the person has now."""
        verb = self._commands.get(action.ref)
        if verb is None:
            raise InvalidRequest(_UNKNOWN_BUTTON)
        return await self._run(verb, actor, (), key=action.key)

    async def _present(self, verb: ActionVerb, click: Click) -> CardView | None:
        """Draw the present state of what was clicked, if the person may see it."""
        if verb.present is None or not click.actor.may(verb.roles):
            return None
        try:
            return await verb.present(click)
        except ReclaimError:
            return None

    async def _actor(self, person: PersonId, channel: str) -> Actor:
        """Return who acts. The command line's channel alone may say that it is the operator."""
        if person.startswith(OPERATOR):
            if channel != CONSOLE:
                raise NotAuthorized("This identity is for the command line only.")
            return Actor(id=person, channel=channel, roles=frozenset({Role.OPERATOR}))
        return await self._services.access.actor(person, channel)

    async def _call(self, actor: Actor, key: str, given: Arguments, files: Mapping[str, str]) -> Call:
        zone = await self._services.zone_of(actor.id)
        return Call(services=self._services, actor=actor, zone=zone, key=key, arguments=given, files=files)

    async def _click(self, actor: Actor, action: Action) -> Click:
        return Click(
            services=self._services,
            actor=actor,
            zone=await self._services.zone_of(actor.id),
            key=action.key,
            ref=action.ref,
            batch=action.batch,
            inputs=action.inputs,
        )

    async def _refusal(self, error: RoleNeeded, actor: Actor) -> str:
        people = await self._services.access.names_with(error.roles)
        return refusal(error, actor.roles, people)

    def _allowed(self, actor: Actor) -> list[Verb]:
        return [verb for verb in self._commands.values() if actor.may(verb.roles)]


def _for_the_asker(reply: Reply) -> Reply:
    """Return what a channel of many sees of an answer that is for one person: that it went to their private chat."""
    return replace(reply, cards=(in_private_card(),), in_private=reply.cards)
