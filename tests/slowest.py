"""What a run spent its time on: its slowest tests and files, and files that take long without a word why.

`slow_files.toml` lists every file above LIMIT_S with its reason. The longest of it are begun first: at the end of a run
they would keep the other processes idle.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LIST = Path(__file__).with_name("slow_files.toml")
LIMIT_S = 20.0
SHOWN = 25


@dataclass(frozen=True, slots=True)
class SlowFile:
    """A file that may take longer than others. `seconds`: what it took when it was last looked at."""

    path: str
    seconds: float
    reason: str


def listed(text: str) -> list[SlowFile]:
    """The files of a list. Raises TypeError where an entry lacks something or has a word too many."""
    return [SlowFile(**entry) for entry in tomllib.loads(text)["file"]]


def slow_files() -> list[SlowFile]:
    """The list of this suite."""
    return listed(LIST.read_text(encoding="utf-8"))


def lines(durations: Iterable[tuple[str, float]], known: Iterable[str]) -> Iterator[str]:
    """What to print of a run.

    Args:
        durations: Node id and seconds of each phase (setup, call, teardown) of each test.
        known: Paths of files that are expected to take long.
    """
    tests: Counter[str] = Counter()
    files: Counter[str] = Counter()
    for name, seconds in durations:
        tests[name] += seconds  # type: ignore[assignment]
        files[name.partition("::")[0]] += seconds  # type: ignore[assignment]
    for title, found in (("tests", tests), ("files", files)):
        yield f"slowest {title} (setup, call and teardown):"
        yield from (f"{seconds:8.2f} s  {name}" for name, seconds in found.most_common(SHOWN))
    for name, seconds in files.most_common():
        if seconds > LIMIT_S and name not in set(known):
            yield f"{name} took {seconds:.0f} s: make it faster, or give {LIST.name} a reason"


def phases(reports: Iterable[Any]) -> Iterator[tuple[str, float]]:
    """Node id and seconds of pytest's reports that have a duration."""
    return ((one.nodeid, one.duration) for one in reports if hasattr(one, "duration") and hasattr(one, "when"))
