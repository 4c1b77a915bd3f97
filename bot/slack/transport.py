"""Cards out to Slack: a person's private conversation with the bot, posts with their `ts` recorded, updates instead of posts.

A conversation is "workspace/member": Slack opens the private channel with the first post and names it in the answer. Our id
of a message is "channel/ts", since an update wants the channel.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Final

from bot.inbound import Sent
from bot.slack import CHANNEL
from bot.slack.api import BLOCKED, SlackApi, SlackError
from bot.slack.installs import Installs, Workspace
from bot.slack.people import SlackPeople, place_of
from cards import block_kit
from cards.view import CardView
from reclaim.domain.ids import PersonId
from reclaim.domain.read_models import ExportedFile
from reclaim.errors import DeliveryError

_GONE: Final = "message_not_found"


class SlackTransport:
    """`bot.inbound.Transport` over Slack."""

    def __init__(self, *, api: SlackApi, installs: Installs, people: SlackPeople) -> None:
        self._api = api
        self._installs = installs
        self._people = people

    @property
    def channel(self) -> str:
        """The channel's name."""
        return CHANNEL

    async def check(self) -> None:
        """Ask Slack whether it takes our tokens.

        Raises:
            DeliveryError: It does not take one of them, there is none, or it did not answer.
        """
        await self._installs.check()

    async def reach(self, person: PersonId) -> str | None:
        """Return the private conversation with this person, or None where Slack does not reach them.

        Raises:
            DeliveryError: Slack did not answer; a later try can help.
        """
        return await self._people.find(person)

    async def send(self, conversation: str, card: CardView) -> Sent:
        """Post a card at the foot of the chat.

        Raises:
            DeliveryError: It could not be sent; permanent where Slack does not let us write to this person.
        """
        team, user = place_of(conversation)
        workspace = await self.workspace(team)
        try:
            return await self.post(workspace, user, card)
        except SlackError as error:
            if error.reason in BLOCKED:
                await self._people.refused(conversation, error.reason)
            raise

    async def update(self, conversation: str, external_id: str, card: CardView) -> Sent:
        """Redraw a message in place.

        Raises:
            DeliveryError: It could not be redrawn; permanent where the message is gone.
        """
        team, _ = place_of(conversation)
        return await self.redraw(await self.workspace(team), external_id, card)

    async def workspace(self, team: str) -> Workspace:
        """Return the installation of a workspace.

        Raises:
            DeliveryError: The app is not there any more.
        """
        found = await self._installs.find(team) or next(
            (each for each in await self._installs.all() if each.org_wide), None
        )
        if found is None:
            raise DeliveryError("The app is no longer installed in this workspace.", permanent=True)
        return found

    async def post(self, workspace: Workspace, channel: str, card: CardView) -> Sent:
        """Post a card to a channel, or to a member's private conversation.

        Raises:
            DeliveryError: It could not be sent.
        """
        drawn = block_kit.message(card)
        arguments = {**drawn, "channel": channel, "unfurl_links": False, "unfurl_media": False}
        said = await self._api.call(workspace.id, workspace.token, "chat.postMessage", arguments, channel=channel)
        where, ts = said.get("channel"), said.get("ts")
        if not isinstance(where, str) or not isinstance(ts, str):
            raise DeliveryError("Slack did not say where the message stands.", permanent=True)
        return Sent(external_id=f"{where}/{ts}", payload_sha256=_sha256(drawn))

    async def redraw(self, workspace: Workspace, external_id: str, card: CardView) -> Sent:
        """Redraw a message of ours.

        Raises:
            DeliveryError: It could not be redrawn.
        """
        channel, _, ts = external_id.partition("/")
        if not ts:
            raise SlackError(_GONE)
        drawn = block_kit.message(card)
        await self._api.call(workspace.id, workspace.token, "chat.update", {**drawn, "channel": channel, "ts": ts})
        return Sent(external_id=external_id, payload_sha256=_sha256(drawn))

    async def open_modal(self, workspace: Workspace, trigger: str, view: Mapping[str, object]) -> None:
        """Open a modal; the trigger of a click lives three seconds.

        Raises:
            DeliveryError: It could not be opened.
        """
        await self._api.call(workspace.id, workspace.token, "views.open", {"trigger_id": trigger, "view": view})

    async def update_modal(self, workspace: Workspace, view_id: str, view: Mapping[str, object]) -> None:
        """Redraw an open modal.

        Raises:
            DeliveryError: It could not be redrawn.
        """
        await self._api.call(workspace.id, workspace.token, "views.update", {"view_id": view_id, "view": view})

    async def publish(self, workspace: Workspace, user: str, card: CardView) -> None:
        """Draw a member's Home tab.

        Raises:
            DeliveryError: It could not be drawn.
        """
        await self._api.call(
            workspace.id, workspace.token, "views.publish", {"user_id": user, "view": block_kit.home(card)}
        )

    async def say(self, workspace: Workspace, user: str, text: str) -> None:
        """Write one sentence into a member's private conversation, where no click can take the answer.

        Raises:
            DeliveryError: It could not be sent.
        """
        await self._api.call(
            workspace.id, workspace.token, "chat.postMessage", {"channel": user, "text": text}, channel=user
        )

    async def hand_over(self, workspace: Workspace, user: str, files: tuple[ExportedFile, ...]) -> None:
        """Put files into a member's private conversation.

        https://docs.slack.dev/messaging/working-with-files#uploading_files: ask for an address, send the bytes there,
        then share all of them in one message.

        Raises:
            DeliveryError: Slack did not take one of them.
        """
        opened = await self._api.call(workspace.id, workspace.token, "conversations.open", {"users": user})
        channel = opened.get("channel")
        channel_id = channel.get("id") if isinstance(channel, Mapping) else None
        shared: list[dict[str, str]] = []
        for file in files:
            asked = {"filename": file.name, "length": len(file.content)}
            said = await self._api.call(workspace.id, workspace.token, "files.getUploadURLExternal", asked)
            address, file_id = said.get("upload_url"), said.get("file_id")
            if not isinstance(address, str) or not isinstance(file_id, str):
                raise DeliveryError("Slack did not say where the file goes.", permanent=True)
            await self._api.upload(address, file.content)
            shared.append({"id": file_id, "title": file.name})
        done = {"files": shared, "channel_id": channel_id}
        await self._api.call(workspace.id, workspace.token, "files.completeUploadExternal", done)


def _sha256(drawn: Mapping[str, object]) -> str:
    return sha256(json.dumps(drawn, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()
