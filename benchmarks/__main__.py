"""`python -m benchmarks [NAME ...]`: run the named measurements, or all; print a line each and write build/bench.json."""

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from benchmarks import clicks, decisions, opening, removals, scan, slack, status, syncing, teams, usage_csv, walkthrough
from benchmarks.measure import Measure

BENCHMARKS: Mapping[str, Callable[[], Iterable[Measure]]] = {
    "decisions": decisions.measures,
    "scan": scan.measures,
    "opening": opening.measures,
    "sync": syncing.measures,
    "status": status.measures,
    "clicks": clicks.measures,
    "teams": teams.measures,
    "slack": slack.measures,
    "removals": removals.measures,
    "usage_csv": usage_csv.measures,
    "walkthrough": walkthrough.measures,
}


def main(names: list[str]) -> int:
    """Run and report; 2 for an unknown name. A goal that is not met is said, and is no failure of the command."""
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"No benchmark is called {', '.join(unknown)}. There is {', '.join(BENCHMARKS)}.", file=sys.stderr)
        return 2
    found: list[Measure] = []
    for name in names or BENCHMARKS:
        for measure in BENCHMARKS[name]():
            print(measure.line(), flush=True)
            found.append(measure)
    target = Path("build/bench.json")
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps([measure.as_json() for measure in found], indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
