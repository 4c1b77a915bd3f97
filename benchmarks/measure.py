"""One measure as a line and as JSON: name, value, unit, baseline, ratio, goal."""

import resource
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

LIMIT = "limit"
RUNS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A figure of ours beside a baseline's, from the same run.

    Attributes:
        ratio: value / baseline_value; None without a baseline.
        goal: The ratio to reach: at least that where higher is better, at most that where lower is; None: no goal.
    """

    name: str
    value: float
    unit: str
    baseline: str | None
    baseline_value: float | None
    goal: float | None
    better: Literal["higher", "lower"]

    @property
    def ratio(self) -> float | None:
        """Ours against the baseline."""
        return self.value / self.baseline_value if self.baseline_value else None

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None without one."""
        if self.goal is None or self.ratio is None:
            return None
        return self.ratio >= self.goal if self.better == "higher" else self.ratio <= self.goal

    def line(self) -> str:
        """Return the measure as one line for a person."""
        text = f"{self.name}: {self.value:,.2f} {self.unit}"
        if self.ratio is not None:
            text += f", {self.ratio:.2f} x {self.baseline} ({self.baseline_value:,.2f})"
        if self.goal is not None:
            sign = ">=" if self.better == "higher" else "<="
            text += f", goal {sign} {self.goal:g}: {'met' if self.met else 'NOT MET'}"
        return text

    def as_json(self) -> dict[str, object]:
        """Return the entry of build/bench.json."""
        return {**asdict(self), "ratio": self.ratio, "met": self.met}


def within(name: str, value: float, unit: str, limit: float) -> Measure:
    """Return the measure of what may be as much as the limit, and no more."""
    return Measure(name=name, value=value, unit=unit, baseline=LIMIT, baseline_value=limit, goal=1.0, better="lower")


def medians(run: Callable[[], tuple[float, ...]], runs: int = RUNS) -> Sequence[float]:
    """Call `run` several times and return the median of each of its figures: a noisy machine spoils single runs."""
    results = [run() for _ in range(runs)]
    return [statistics.median(column) for column in zip(*results, strict=True)]


def peak_mb() -> float:
    """Return the most memory that this process ever had; `getrusage` counts KB, on macOS bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024 / 1024 if sys.platform == "darwin" else peak / 1024
