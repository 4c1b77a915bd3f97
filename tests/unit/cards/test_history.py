"""The history is read by people: ids and hashes stand in the export only."""

from datetime import UTC, datetime

from cards import text
from cards.trail import history_card
from reclaim.domain.read_models import History, HistoryLine


def test_the_history_shows_what_was_decided_and_no_id() -> None:
    line = HistoryLine(
        seq=3,
        at=datetime(2026, 11, 23, 9, tzinfo=UTC),
        kind="decision_made",
        actor_name="Megan Bowen",
        about="Isaiah Langer · Visio Plan 2",
        facts=(
            ("batch", "6fd723a3f8c61f7f5414ace2a6376dde"),
            ("request", "0b0afded-3588-46d8-8b3d-9842eff778da"),
            ("choice", "revoke"),
        ),
    )

    shown = text.render(history_card(History(title="All campaigns", lines=(line,), total=3, zone="UTC"), "UTC"))

    assert "choice revoke" in shown
    assert "6fd723a3" not in shown
    assert "0b0afded" not in shown
