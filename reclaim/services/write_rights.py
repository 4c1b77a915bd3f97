"""Whether what a campaign would do may be done at all: nobody is asked about a seat that we could not take."""

from collections.abc import Iterable

import structlog

from reclaim.domain.campaign import WriteMode
from reclaim.domain.removal import RemovalPlan, StepKind
from reclaim.errors import Conflict, DirectoryError
from reclaim.ports.checks import Permission, TenantChecks

_log = structlog.get_logger(__name__)
_NEEDS = {StepKind.DIRECT: Permission.WRITE_LICENSES, StepKind.LEAVE_GROUP: Permission.WRITE_MEMBERS}


class WriteRights:
    """Asks the tenant once per launch."""

    def __init__(self, *, checks: TenantChecks) -> None:
        self._checks = checks

    async def require(self, mode: WriteMode, plans: Iterable[RemovalPlan]) -> None:
        """Refuse a campaign whose removals would all be denied; a dry run removes nothing and needs no right.

        An outage of the login service and a token that tells nothing do not refuse: the writes tell by themselves.

        Raises:
            Conflict: A permission is missing that one of the plans needs.
        """
        needed = {_NEEDS[step.kind] for plan in plans for step in plan.steps}
        if mode is not WriteMode.LIVE or not needed:
            return
        try:
            missing = await self._missing(needed)
        except DirectoryError as error:
            _log.warning("the right to write could not be checked", permanent=error.permanent)
            return
        if missing:
            raise Conflict(
                f"Removals would fail: Reclaim has not the permission {' and '.join(missing)}."
                f" An admin of the tenant grants it here: {self._checks.consent_link(writer=True)}"
            )

    async def _missing(self, needed: set[Permission]) -> list[Permission]:
        for anew in (False, True):
            granted = await self._checks.write_permissions(anew=anew)
            missing = [] if granted is None else sorted(needed - granted)
            if not missing:
                return []
        return missing
