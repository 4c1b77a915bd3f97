"""Every seat of a tenant with all traps mixed ends as its generator's label allows."""

from pathlib import Path

import pytest

from tests.oracle import judge, missing_cases

PEOPLE = 400  # every case occurs from 110 on; `make oracle` takes 100,000


async def test_every_seat_ends_as_its_label_allows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All is revoked that can be: what stays, stays because of a rule, and what goes was free to go."""
    monkeypatch.chdir(tmp_path)

    verdict = await judge(people=PEOPLE)

    assert not verdict.wrong, "\n".join(verdict.wrong[:20])
    assert not missing_cases(verdict)
    # Each way to end must have been met, or the labels had nothing to judge.
    assert {"removed", "kept", "held", "not_supported", "already_absent", "active_again", "regranted"} <= (
        verdict.outcomes.keys()
    )
    assert verdict.removed > verdict.items / 3
