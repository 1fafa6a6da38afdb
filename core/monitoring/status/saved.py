"""A status kept in a file, and what has become better or worse since."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from core.errors import ConfigError, InputError
from core.monitoring.status.figures import Status

KIND, FORMAT = "headrace status", 1

WORSE_PERCENT = 10.0
"""What is worse by more than this fails a check."""

HEALTHS = ("healthy", "degraded", "critical")


@dataclass(frozen=True, slots=True)
class Compared:
    """How a figure is compared: `least` means that more is better; differences below `noise` are none."""

    unit: str
    least: bool = False
    noise: float = 0.0


FIGURES: Mapping[str, Compared] = {
    "success": Compared("%", least=True),
    "rate": Compared("rows/h", least=True),
    "record_min": Compared("min"),
    # A millisecond more or less is the machine's mood.
    "answer_ms": Compared("ms", noise=5.0),
    "depth": Compared("rows"),
    "health": Compared("0 healthy, 1 degraded, 2 critical"),
    "connections": Compared("%"),
}

Direction = Literal["better", "worse", "same", "no data"]


@dataclass(frozen=True, slots=True)
class Change:
    """One figure then and now. `percent` of what it was; None where it was 0 or one of the two is not known."""

    name: str
    before: float | None
    now: float | None
    unit: str
    direction: Direction
    percent: float | None


def figures_of(status: Status) -> dict[str, float | None]:
    """What is kept, by the names of FIGURES."""
    server, ended = status.server, status.ended
    return {
        "success": ended.success_percent,
        "rate": ended.rows_per_hour if ended.n_rows else None,
        "record_min": ended.record_min,
        "answer_ms": round(server.answer_ms, 3),
        "depth": status.overall.backlog_rows,
        "health": HEALTHS.index(status.health),
        "connections": round(100 * server.connections / server.connections_max, 2),
    }


def save(status: Status, path: Path) -> None:
    """Write the figures as JSON. Raises ConfigError: the file cannot be written."""
    document = {"kind": KIND, "format": FORMAT, "at_s": status.at_s, "figures": figures_of(status)}
    try:
        path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"--save {path}: cannot be written ({error.strerror})") from None


def kept_figures(path: Path) -> dict[str, float | None]:
    """Figures of a file that `save` has written. Raises InputError: it is none, or one of a later version."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"--against {path}: cannot be read ({error.strerror})") from None
    except ValueError:
        raise InputError(f"--against {path}: is no JSON; make one with `headrace status --save FILE`") from None
    if not isinstance(document, dict) or document.get("kind") != KIND:
        raise InputError(f"--against {path}: holds no status; make one with `headrace status --save FILE`")
    if document.get("format") != FORMAT:
        raise InputError(
            f"--against {path}: is of format {document.get('format')}, this version reads {FORMAT}; save it anew"
        )
    found = document.get("figures")
    if not isinstance(found, dict) or not all(_is_figure(found.get(name)) for name in FIGURES):
        raise InputError(f"--against {path}: a figure is no number; make it anew with `headrace status --save FILE`")
    return {name: found.get(name) for name in FIGURES}


def changes(before: Mapping[str, float | None], now: Mapping[str, float | None]) -> list[Change]:
    """Every figure then and now; pure."""
    return [_change(name, how, before.get(name), now.get(name)) for name, how in FIGURES.items()]


def is_worse(found: Sequence[Change]) -> bool:
    """Whether one is worse by more than a tenth, or by anything where it was 0."""
    return any(
        change.direction == "worse" and (change.percent is None or abs(change.percent) > WORSE_PERCENT)
        for change in found
    )


def _change(name: str, how: Compared, before: float | None, now: float | None) -> Change:
    if before is None or now is None:
        return Change(name, before, now, how.unit, "no data", None)
    percent = round(100 * (now - before) / before, 1) if before else None
    if before == now or abs(now - before) < how.noise:
        return Change(name, before, now, how.unit, "same", percent)
    better = (now > before) == how.least
    return Change(name, before, now, how.unit, "better" if better else "worse", percent)


def _is_figure(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))
