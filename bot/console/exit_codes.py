"""What the command `reclaim` exits with."""

from typing import Final

DONE: Final = 0
FAILED: Final = 1  # the work failed, was refused, or found something unwell
MISUSED: Final = 2  # the call or the installation must be mended first
