"""What we use of botbuilder: turns, proactive messages, new conversations. Nothing of it leaves this folder.

The SDK is archived upstream and its defects are fenced off here. It never sees a request that the guard did not pass, its
own token handling (a new token a turn, on the event loop) is replaced by ours, and its HTTP answers are translated into
`DeliveryError`. It sends through `requests` in threads.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, Final, Protocol

import msrest.universal_http.requests as msrest_requests
import requests
import structlog
from botbuilder.core import ActivityHandler, TurnContext
from botbuilder.integration.aiohttp import CloudAdapter, ConfigurationBotFrameworkAuthentication
from botbuilder.schema import (
    Activity,
    Attachment,
    ChannelAccount,
    ConversationAccount,
    ConversationParameters,
    ConversationReference,
    ErrorResponseException,
)
from botframework.connector.auth import (
    AppCredentials,
    AuthenticateRequestResult,
    ClaimsIdentity,
    ServiceClientCredentialsFactory,
)
from msrest.exceptions import ClientRequestError, DeserializationError  # type: ignore[attr-defined]  # azure-core's, handed on

from bot.teams.guard import ISSUER, WIRE_CHANNEL, Incoming
from reclaim.errors import DeliveryError, PortError

SCOPE: Final = "https://api.botframework.com"
CARD: Final = "application/vnd.microsoft.card.adaptive"
CALLER: Final = "urn:botframework:azure"
# Worth another try: throttled, a precondition that passes, trouble behind the gateway.
# Source: "Optimize your bot with rate limiting in Teams".
PASSING: Final = frozenset({408, 412, 429, 500, 502, 503, 504})
_BLOCKED: Final = 403
_NOT_US: Final = 401

# msrest goes through a list of 500 status codes 999 times for each client that it makes, twice a turn.
msrest_requests.ClientRetryPolicy.safe_codes = frozenset(  # type: ignore[assignment]  # a set serves as well
    msrest_requests.ClientRetryPolicy.safe_codes
)

# Returns a living access token for the Bot Connector; raises PortError where there is none.
TokenSource = Callable[[], Awaitable[str]]
Turn = Callable[[TurnContext], Awaitable[None]]

log = structlog.get_logger(__name__)


class Blocked(DeliveryError):
    """The person, or their tenant, does not let the bot write to them."""

    code = "blocked"


class ConversationGone(DeliveryError):
    """There is no such conversation or message any more."""

    code = "conversation_gone"


class Turns(Protocol):
    """What a turn leads to."""

    async def message(self, incoming: Incoming) -> None:
        """Answer what somebody wrote."""
        ...

    async def installed(self, incoming: Incoming) -> None:
        """Greet who got the app."""
        ...

    async def removed(self, incoming: Incoming) -> None:
        """Note that the app is gone there."""
        ...


class TeamsSdk:
    """The adapter of one bot.

    Args:
        app_id: The bot's.
        tenant_id: Of its people.
        token: Where its own access token comes from, off the event loop.
    """

    def __init__(self, *, app_id: str, tenant_id: str, token: TokenSource) -> None:
        self._app_id = app_id
        self._tenant_id = tenant_id
        self._token = token
        self._credentials = _HeldToken()
        configuration = SimpleNamespace(APP_TYPE="SingleTenant", APP_ID=app_id, APP_PASSWORD="", APP_TENANTID=tenant_id)
        self._auth = ConfigurationBotFrameworkAuthentication(
            configuration, credentials_factory=_OneCredential(app_id, self._credentials)
        )
        self._adapter = CloudAdapter(self._auth)
        self._adapter.on_turn_error = _on_turn_error

    async def check(self) -> None:
        """Get a token.

        Raises:
            PortError: There is none.
        """
        await self._renew()

    async def turn(self, incoming: Incoming, turns: Turns) -> None:
        """Run a turn for a vetted activity that is no invoke; kinds that mean nothing to us end quietly.

        Raises:
            PortError: There is no token, or an answer could not be sent.
        """
        await self._renew()
        identity = ClaimsIdentity(
            {"aud": self._app_id, "iss": ISSUER, "serviceurl": incoming.service_url}, is_authenticated=True
        )
        result = AuthenticateRequestResult()
        result.audience = SCOPE
        result.claims_identity = identity
        result.caller_id = CALLER
        result.connector_factory = self._auth.create_connector_factory(identity)
        activity = Activity().deserialize(dict(incoming.activity))
        await _translated(self._adapter.process_activity(result, activity, _Handler(incoming, turns).on_turn))

    async def send(self, service_url: str, conversation: str, card: Mapping[str, object], summary: str) -> str:
        """Post an Adaptive Card, and return the id of its message.

        Raises:
            Blocked, ConversationGone, DeliveryError: As `post`.
        """
        return await self.post(service_url, conversation, {"contentType": CARD, "content": card}, summary)

    async def post(self, service_url: str, conversation: str, attachment: Mapping[str, object], summary: str) -> str:
        """Post a message with one attachment, and return its id.

        Args:
            service_url: Where the conversation is served.
            conversation: Its id.
            attachment: As the Bot Connector takes it: contentType, content, name, contentUrl.
            summary: What a notification says; no facts about a person.

        Raises:
            Blocked: The bot may not write there.
            ConversationGone: There is no such conversation.
            DeliveryError: Anything else; `permanent` and `retry_after` as usual.
        """
        sent: list[str] = []

        async def post(context: TurnContext) -> None:
            # Not by `send_activity`: it would answer the made-up activity that a proactive turn begins with.
            activity = TurnContext.apply_conversation_reference(
                _message(attachment, summary), context.activity.get_conversation_reference()
            )
            activity.reply_to_id = None
            client = context.turn_state[CloudAdapter.BOT_CONNECTOR_CLIENT_KEY]
            answer = await client.conversations.send_to_conversation(conversation, activity)
            if answer is not None and answer.id:
                sent.append(answer.id)

        await self._proactively(service_url, conversation, post)
        if not sent:
            raise DeliveryError("Teams took the message and named no id for it.", permanent=True)
        return sent[0]

    async def update(
        self, service_url: str, conversation: str, message_id: str, card: Mapping[str, object], summary: str
    ) -> None:
        """Redraw a message.

        Raises:
            Blocked, ConversationGone, DeliveryError: As `send`.
        """

        async def put(context: TurnContext) -> None:
            activity = _message({"contentType": CARD, "content": card}, summary)
            activity.id = message_id
            await context.update_activity(activity)

        await self._proactively(service_url, conversation, put)

    async def open_personal(self, service_url: str, person_id: str) -> str:
        """Return the private conversation with a person, by Entra object id; a new one if there is none.

        Raises:
            Blocked: The bot is not installed for them, or they blocked it.
            DeliveryError: As `send`.
        """
        await self._renew()
        found: list[str] = []

        async def note(context: TurnContext) -> None:
            found.append(context.activity.conversation.id)

        parameters = ConversationParameters(
            is_group=False,
            bot=ChannelAccount(id=f"28:{self._app_id}"),
            members=[ChannelAccount(id=person_id)],
            tenant_id=self._tenant_id,
            channel_data={"tenant": {"id": self._tenant_id}},
        )
        await _translated(
            self._adapter.create_conversation(
                self._app_id, note, parameters, channel_id=WIRE_CHANNEL, service_url=service_url, audience=SCOPE
            )
        )
        if not found or not found[0]:
            raise DeliveryError("Teams made a conversation and named no id for it.", permanent=True)
        return found[0]

    async def member(self, service_url: str, conversation: str, person_id: str) -> str | None:
        """Return the Teams id (`29:…`) of a person in a conversation, by Entra object id; None if Teams names none.

        Raises:
            Blocked, ConversationGone, DeliveryError: As `post`.
        """
        found: list[str] = []

        async def ask(context: TurnContext) -> None:
            client = context.turn_state[CloudAdapter.BOT_CONNECTOR_CLIENT_KEY]
            account = await client.conversations.get_conversation_member(conversation, person_id)
            if account is not None and account.id:
                found.append(account.id)

        await self._proactively(service_url, conversation, ask)
        return found[0] if found else None

    async def _proactively(self, service_url: str, conversation: str, logic: Turn) -> None:
        await self._renew()
        reference = ConversationReference(
            bot=ChannelAccount(id=f"28:{self._app_id}"),
            conversation=ConversationAccount(id=conversation, tenant_id=self._tenant_id),
            channel_id=WIRE_CHANNEL,
            service_url=service_url,
        )
        await _translated(self._adapter.continue_conversation(reference, logic, self._app_id))

    async def _renew(self) -> None:
        try:
            self._credentials.value = await self._token()
        except DeliveryError:
            raise
        except PortError as error:
            # Whoever sends waits and tries again, or hears that an admin has to mend something.
            raise DeliveryError(error.message, permanent=error.permanent, retry_after=error.retry_after) from error


class _Handler(ActivityHandler):  # type: ignore[misc]  # the SDK ships no types
    """Sorts activities by kind; what they say is read from the vetted one, not from the SDK's copy."""

    def __init__(self, incoming: Incoming, turns: Turns) -> None:
        super().__init__()
        self._incoming = incoming
        self._turns = turns

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        await self._turns.message(self._incoming)

    async def on_installation_update_add(self, turn_context: TurnContext) -> None:
        await self._turns.installed(self._incoming)

    async def on_installation_update_remove(self, turn_context: TurnContext) -> None:
        await self._turns.removed(self._incoming)


class _HeldToken(AppCredentials):  # type: ignore[misc]  # the SDK ships no types
    """Signs with the token that was fetched before the call: the SDK itself would fetch one on the event loop."""

    def __init__(self) -> None:
        super().__init__()
        self.value = ""

    def signed_session(self, session: requests.Session | None = None) -> requests.Session:
        session = session or requests.Session()
        session.headers["Authorization"] = f"Bearer {self.value}"
        session.hooks["response"].append(_without_a_page)
        return session

    def get_access_token(self, force_refresh: bool = False) -> str:
        return self.value


class _OneCredential(ServiceClientCredentialsFactory):  # type: ignore[misc]  # the SDK ships no types
    def __init__(self, app_id: str, credentials: _HeldToken) -> None:
        self._app_id = app_id
        self._credentials = credentials

    async def is_valid_app_id(self, app_id: str) -> bool:
        return bool(app_id == self._app_id)

    async def is_authentication_disabled(self) -> bool:
        return False

    async def create_credentials(
        self, app_id: str, oauth_scope: str, login_endpoint: str, validate_authority: bool
    ) -> _HeldToken:
        return self._credentials


def _without_a_page(answer: requests.Response, *_: object, **__: object) -> requests.Response:
    """Empty a refusal that is no JSON: a gateway's page, over which the SDK would fail before it looks at the status."""
    if not answer.ok and "json" not in answer.headers.get("Content-Type", ""):
        answer.close()
        answer._content = b"{}"
        answer.headers["Content-Type"] = "application/json"
    return answer


async def _on_turn_error(_: TurnContext, error: Exception) -> None:
    """Let the caller say what went wrong: the SDK's own handler would say it to the chat."""
    raise error


async def _translated(work: Awaitable[Any]) -> None:
    try:
        await work
    except ErrorResponseException as error:
        raise _delivery_error(error) from error
    except (TimeoutError, requests.RequestException, ClientRequestError) as error:
        raise DeliveryError("Teams cannot be reached.") from error
    except DeserializationError as error:
        raise DeliveryError("Something else answers in the place of Teams.") from error


def _delivery_error(error: ErrorResponseException) -> DeliveryError:
    status = error.response.status_code
    if status == _BLOCKED:
        return Blocked("Teams does not let Reclaim write to this person.", permanent=True)
    if status == _NOT_US:
        # Ours to mend, and no fault of the person: whoever waits may be reached once it is.
        log.warning("Teams does not accept the bot's own token: check RECLAIM_TEAMS_APP_ID and its credential")
        return DeliveryError("Teams does not accept the bot's own token.")
    if status in (404, 410):
        return ConversationGone("This conversation is not there any more.", permanent=True)
    if status in PASSING:
        return DeliveryError("Teams asks to wait.", retry_after=_retry_after(error.response.headers.get("Retry-After")))
    log.warning("Teams refused a message", status=status)
    return DeliveryError(f"Teams refused the message ({status}).", permanent=True)


def _retry_after(header: str | None) -> timedelta | None:
    """Return what Retry-After asks for; a date or nonsense counts as none, so that the back-off decides."""
    return timedelta(seconds=min(int(header), 3_600)) if header and header.isdigit() else None


def _message(attachment: Mapping[str, object], summary: str) -> Activity:
    return Activity(type="message", summary=summary, attachments=[Attachment().deserialize(dict(attachment))])
