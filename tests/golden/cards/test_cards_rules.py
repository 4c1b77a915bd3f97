"""What UX.md 6 demands of every card, held over all of them."""

import dataclasses
import re
from collections.abc import Iterator

import pytest

from cards import adaptive
from cards.control import freeze_card
from cards.payload import decode, encode
from cards.review import wave_card
from cards.trail import EVENTS
from cards.view import Action, Box, CardView, Emphasis, Input, Row, Table
from reclaim.domain.attestation import EventKind
from reclaim.domain.ids import ItemId
from tests.golden.cards.gallery import ASKING, CARDS
from tests.golden.cards.models import ASKED, ITEMS, ZONE, wave

FOR_REVIEWERS = [
    name
    for name in CARDS
    if name.startswith(
        (
            "wave",
            "item",
            "keep",
            "delegate",
            "inbox",
            "summary",
            "receipt",
            "ask_back",
            "appeal",
            "help_holder",
            "consent",
        )
    )
] + ["own_seats"]
HOLDERS = ("Isaiah", "Lee Gu", "Alex Wilber", "Eve", "Grady", "Nestor", "Megan", "Lynne", "Ben Walters", "Enrico")
BANNED = re.compile(r"!|\bsuccessfully\b|\bplease note\b|\bN/A\b", re.IGNORECASE)
BANNED_FOR_REVIEWERS = re.compile(r"\bitems?\b|\bcertification\b|\bidle\b", re.IGNORECASE)
BACK = {"receipt.back", "receipt.choose", "receipt.choose.submit", "askback.yes", "consent.back"}
SILENCE = re.compile(r"do not answer|without an answer|If you do not answer")


def texts(part: object) -> Iterator[str]:
    """Yield every wording of a card; names and what somebody typed are data, and references are no wording."""
    if isinstance(part, Row):
        yield from (text for text in (part.reason, part.open.label if part.open else None) if text)
    elif isinstance(part, Table):
        yield from part.header
    elif isinstance(part, Action):
        yield from (text for text in (part.label, part.confirm) if text)
    elif dataclasses.is_dataclass(part) and not isinstance(part, type):
        for field in dataclasses.fields(part):
            typed = isinstance(part, Input) and field.name in {"value", "value_label"}
            if not typed and field.name not in {"kind", "id", "refresh", "colour", "tone"}:
                yield from texts(getattr(part, field.name))
    elif isinstance(part, tuple):
        for one in part:
            yield from texts(one)
    elif isinstance(part, str):
        yield part


def actions(part: object) -> Iterator[Action]:
    if isinstance(part, Action):
        yield part
    elif dataclasses.is_dataclass(part) and not isinstance(part, type):
        for field in dataclasses.fields(part):
            yield from actions(getattr(part, field.name))
    elif isinstance(part, tuple):
        for one in part:
            yield from actions(one)


def boxes(card: CardView) -> str:
    return " ".join(f"{lead} {text}" for part in card.body if isinstance(part, Box) for lead, text in part.parts)


@pytest.mark.parametrize("name", ASKING)
def test_a_card_that_asks_says_what_happens_next_and_what_silence_does(name: str) -> None:
    said = boxes(CARDS[name])

    assert said
    assert SILENCE.search(said)


@pytest.mark.parametrize(
    "name",
    [
        "start_form",
        "preview",
        "preview_over_limit",
        "simulation",
        "launch_waiting",
        "launch_confirm",
        "freeze_form",
        "resume_form",
        "closing",
        "abandoning",
    ],
)
def test_a_card_that_asks_an_admin_says_what_happens_next(name: str) -> None:
    assert boxes(CARDS[name])


@pytest.mark.parametrize("name", CARDS)
def test_wording_is_free_of_banned_words(name: str) -> None:
    assert [text for text in texts(CARDS[name]) if BANNED.search(text)] == []


@pytest.mark.parametrize("name", FOR_REVIEWERS)
def test_reviewers_and_holders_read_unused_and_seat(name: str) -> None:
    assert [text for text in texts(CARDS[name]) if BANNED_FOR_REVIEWERS.search(text)] == []


@pytest.mark.parametrize("name", CARDS)
def test_at_most_three_buttons_show_and_one_is_filled(name: str) -> None:
    card = CARDS[name]

    assert len([action for action in card.actions if not action.more]) <= 3
    assert len([action for action in actions(card) if action.emphasis is Emphasis.RECOMMENDED]) <= 1


@pytest.mark.parametrize("name", ["item_held", "item_by_hand"])
def test_nothing_is_filled_where_nothing_is_recommended(name: str) -> None:
    assert all(action.emphasis is not Emphasis.RECOMMENDED for action in actions(CARDS[name]))


@pytest.mark.parametrize("name", CARDS)
def test_labels_are_short_and_actions_come_back_as_they_went(name: str) -> None:
    for action in actions(CARDS[name]):
        assert len(action.label) <= 30
        assert decode(action.verb, encode(action)) == (action.verb, action.ref, action.batch)


@pytest.mark.parametrize("name", CARDS)
def test_the_fallback_text_names_nobody(name: str) -> None:
    assert CARDS[name].fallback
    assert [holder for holder in HOLDERS if holder in CARDS[name].fallback] == []


@pytest.mark.parametrize("name", [name for name in CARDS if name.startswith("item_ended")])
def test_a_closed_seat_has_no_live_button(name: str) -> None:
    assert {action.verb for action in actions(CARDS[name])} <= {"wave.open"}


def test_a_held_seat_offers_no_revoke_where_the_installation_holds_it() -> None:
    held = CARDS["item_mailbox_held"]
    assert {action.verb for action in actions(held)}.isdisjoint({"item.revoke", "item.lose", "item.convert"})
    assert "Revoke is not offered" in boxes(held)


def test_a_seat_with_data_is_revoked_in_red_and_the_day_on_which_the_data_dies_is_named() -> None:
    offered = {action.verb: action for action in actions(CARDS["item_mailbox"])}
    assert "item.revoke" not in offered
    assert offered["item.lose"].emphasis is Emphasis.DANGER
    assert "Mail is deleted about 30 days later, 3 Jan 2027" in boxes(CARDS["item_mailbox"])


def test_a_seat_that_we_cannot_remove_says_so_before_the_decision_and_promises_nothing() -> None:
    said = boxes(CARDS["item_by_hand"])

    assert "Reclaim cannot remove it: Copilot Marketing is managed on premises." in said
    assert "task" not in said
    assert "item.revoke" in {action.verb for action in actions(CARDS["item_by_hand"])}


def test_only_the_cards_of_the_way_back_speak_of_a_restore() -> None:
    spoken = [name for name, card in CARDS.items() if any("restore" in text.lower() for text in texts(card))]

    assert [
        name
        for name in spoken
        if not name.startswith(
            (
                "restore_",
                "receipt_",
                "ask_back_",
                "appeal_",
                "item_restore_",
                "consent_removed_",
                "consent_appeal",
                "program",
            )
        )
    ] == []


def test_a_holder_is_offered_a_seat_back_only_while_the_way_back_is_open() -> None:
    offers = {name for name, card in CARDS.items() if {a.verb for a in actions(card)} & BACK}

    assert offers == {
        "receipt_open", "receipt_full", "receipt_of_two_open", "receipt_choose", "ask_back", "ask_back_full",
        "receipt_appeal_sent", "receipt_appeal_moved", "receipt_appeal_refused", "receipt_appeal_lapsed",
        "consent_gone", "consent_removed_enforced", "consent_removed_silent", "consent_removed_full",
        "consent_removed_appealed", "consent_removed_refused", "consent_removed_lapsed",
    }  # fmt: skip


def test_every_kind_of_event_has_words_for_the_history() -> None:
    assert set(EventKind) - set(EVENTS) == set()


def test_an_appeal_is_offered_once_and_only_who_decides_can_answer_it() -> None:
    verbs = {name: {action.verb for action in actions(card)} for name, card in CARDS.items()}

    assert {name for name, found in verbs.items() if "receipt.appeal" in found} == {
        "receipt_open", "receipt_full", "receipt_of_two_open",
    }  # fmt: skip
    assert {name for name, found in verbs.items() if "appeal.give" in found} == {
        "appeal",
        "appeal_moved",
        "appeal_hostile",
    }


@pytest.mark.parametrize("name", ["wave_dry_run", "item_dry_run", "preview_dry_stale"])
def test_a_dry_run_says_so(name: str) -> None:
    assert "Dry run: people are asked, nothing is removed." in set(texts(CARDS[name]))


def test_an_auditor_sees_no_button_that_changes_anything() -> None:
    verbs = {
        action.verb for name in ("seats_auditor", "spend_auditor", "status_auditor") for action in actions(CARDS[name])
    }

    assert verbs <= {"seats.page", "seats.filter", "spend.seats", "command.run"}


def test_who_asked_to_resume_gets_no_confirm() -> None:
    card = freeze_card(ASKED, ZONE, may_resume=True, may_confirm=False)

    assert list(actions(card)) == []


def test_ten_worst_rows_fit_into_a_teams_card() -> None:
    worst = dataclasses.replace(ITEMS[3], snapshot=dataclasses.replace(ITEMS[3].snapshot, sku_name="W" * 90))
    rows = tuple(dataclasses.replace(worst, id=ItemId(f"{number:032x}")) for number in range(10))

    assert adaptive.fits(wave_card(dataclasses.replace(wave(rows), pages=3, open_count=27), ZONE))


def test_a_sum_says_what_it_leaves_out() -> None:
    assert CARDS["wave"].headline.unit == "a month + 1 unpriced"
    assert CARDS["spend"].headline.unit == "a month + 6 unpriced"
