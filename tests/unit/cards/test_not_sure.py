"""After "Not sure" the reviewer reads who looks next, by name."""

from dataclasses import replace

from cards import text
from cards.review import wave_card
from reclaim.domain.ids import BatchId
from reclaim.domain.money import Total
from reclaim.domain.read_models import BulkResult
from reclaim.domain.review import Choice
from tests.golden.cards.models import NOW, ZONE, wave


def test_who_takes_the_second_look_is_named() -> None:
    result = BulkResult(choice=Choice.NOT_SURE, batch_id=BatchId("b"), at=NOW, done=2, monthly=Total())

    shown = text.render(wave_card(replace(wave(), result=result, fallback_name="Lynne Robbins"), ZONE))

    assert "Noted: 2 seats. Lynne Robbins takes a second look." in shown
