"""Slack. The guard decides what is believed before the SDK sees a byte; slack-bolt and slack-sdk live here alone."""

from typing import Final

CHANNEL: Final = "slack"
