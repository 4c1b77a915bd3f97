"""Microsoft Teams. The guard decides what is believed before the SDK sees a byte; botbuilder lives in `sdk.py` alone."""

from typing import Final

CHANNEL: Final = "teams"  # our name of the channel; on the wire it is `guard.WIRE_CHANNEL`
