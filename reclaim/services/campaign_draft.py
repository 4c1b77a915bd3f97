"""What somebody has filled in to start a campaign, and how it is kept between two clicks."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from reclaim.domain.campaign import Scope, Silence, Strategy, WriteMode
from reclaim.domain.ids import PersonId, ProductId
from reclaim.errors import NotFound

# Drafts of other forms and selections live in the same place. A simulation is none that can start.
_FORM, _SIMULATION = "start", "simulation"


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignDraft:
    """A campaign as asked for; nothing in it is checked before the preview.

    Attributes:
        ref: Unguessable; becomes the campaign's id, so that a draft can start one campaign only.
        fallback_id: None: the installation's fallback reviewer.
        due: The last day to answer, local to `zone`.
        by: Whose draft it is.
        listed: The list of people as pasted, which `scope` holds resolved; for the form to show again.
        simulated: Only to be looked at. It cannot be launched.
    """

    ref: str
    name: str
    scope: Scope
    strategy: Strategy
    reviewer_id: PersonId | None
    fallback_id: PersonId | None
    due: date
    zone: str
    silence: Silence
    mode: WriteMode
    by: PersonId
    listed: str = ""
    simulated: bool = False

    @property
    def by_hand(self) -> bool:
        """Whether the seats were ticked one by one, and not found by the form's own fields."""
        return bool(self.scope.seat_ids) and not self.listed


def to_state(draft: CampaignDraft) -> dict[str, object]:
    """Return the draft as JSON values; owner and ref are stored beside it."""
    return {
        "form": _SIMULATION if draft.simulated else _FORM,
        "name": draft.name,
        "days": draft.scope.days,
        "products": list(draft.scope.product_ids),
        "rules": list(draft.scope.rules),
        "departments": list(draft.scope.departments),
        "people": list(draft.scope.person_ids),
        "seats": list(draft.scope.seat_ids),
        "strategy": draft.strategy.value,
        "reviewer": draft.reviewer_id,
        "fallback": draft.fallback_id,
        "due": draft.due.isoformat(),
        "zone": draft.zone,
        "silence": draft.silence.value,
        "mode": draft.mode.value,
        "listed": draft.listed,
    }


def draft_sha256(draft: CampaignDraft) -> str:
    """Return a digest of all that the draft says, to find out whether it was changed."""
    return hashlib.sha256(json.dumps(to_state(draft), sort_keys=True).encode()).hexdigest()


def from_state(ref: str, owner: PersonId, state: Mapping[str, object]) -> CampaignDraft:
    """Return a stored draft.

    Raises:
        NotFound: What is stored there is something else, or of an older version.
    """
    if state.get("form") not in (_FORM, _SIMULATION):
        raise NotFound("There is no such draft.")
    try:
        return CampaignDraft(
            ref=ref,
            name=str(state["name"]),
            scope=Scope(
                days=int(str(state["days"])),
                product_ids=tuple(ProductId(one) for one in _texts(state["products"])),
                rules=_texts(state["rules"]),
                departments=_texts(state["departments"]),
                person_ids=tuple(PersonId(one) for one in _texts(state["people"])),
                seat_ids=_texts(state["seats"]),
            ),
            strategy=Strategy(str(state["strategy"])),
            reviewer_id=_person(state["reviewer"]),
            fallback_id=_person(state["fallback"]),
            due=date.fromisoformat(str(state["due"])),
            zone=str(state["zone"]),
            silence=Silence(str(state["silence"])),
            mode=WriteMode(str(state["mode"])),
            by=owner,
            listed=str(state["listed"]),
            simulated=state["form"] == _SIMULATION,
        )
    except (KeyError, ValueError) as error:
        raise NotFound("This draft is from an older version. Please start again.") from error


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError("not a list")
    return tuple(str(one) for one in value)


def _person(value: object) -> PersonId | None:
    return None if value is None else PersonId(str(value))
