"""The wheel holds exactly the product, and its generic top-level names collide with nothing installed beside it.

The build backend makes the wheel: an editable install puts the whole checkout on the path and would prove nothing.
"""

from importlib.metadata import packages_distributions
from pathlib import Path
from zipfile import ZipFile

import pytest
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[2]
TOP_LEVEL = {"app.py", "scheduler.py", "bot", "cards", "manifest", "reclaim", "rehearsal", "storage"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> ZipFile:
    """The wheel of the working tree as it stands."""
    [path] = WheelBuilder(str(ROOT)).build(directory=str(tmp_path_factory.mktemp("wheel")), versions=["standard"])
    return ZipFile(path)


def test_wheel_holds_the_product_and_nothing_else(wheel: ZipFile) -> None:
    top_level = {name.split("/")[0] for name in wheel.namelist()}

    assert top_level == TOP_LEVEL | {"reclaim-0.1.0.dist-info"}


def test_wheel_brings_the_reclaim_command(wheel: ZipFile) -> None:
    entry_points = wheel.read("reclaim-0.1.0.dist-info/entry_points.txt").decode()

    assert "[console_scripts]\nreclaim = app:main\n" in entry_points


@pytest.mark.parametrize("name", sorted(name.removesuffix(".py") for name in TOP_LEVEL))
def test_no_installed_distribution_claims_our_top_level_name(name: str) -> None:
    owners = set(packages_distributions().get(name, []))

    assert owners <= {"reclaim"}
