from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import ConfigError, InputError
from core.monitoring.status import saved
from core.monitoring.status.figures import Ended
from tests.unit.monitoring.status.status_of import status_of

BEFORE = {"success": 99.0, "rate": 100.0, "answer_ms": 2.0, "depth": 0.0, "health": 0.0}


def test_saved_figures_come_back(tmp_path: Path) -> None:
    status, path = status_of(ended=Ended(10, 1, 10.0, 90.0, 0.5)), tmp_path / "kept.json"
    saved.save(status, path)
    assert saved.kept_figures(path) == saved.figures_of(status)
    assert {change.direction for change in saved.changes(saved.kept_figures(path), saved.figures_of(status))} == {
        "same"
    }


@pytest.mark.parametrize(
    ("now", "direction", "percent", "worse"),
    [
        ({"rate": 89.0}, "worse", -11.0, True),
        ({"rate": 91.0}, "worse", -9.0, False),
        ({"rate": 150.0}, "better", 50.0, False),
        ({"rate": None}, "no data", None, False),
        ({"answer_ms": 6.9}, "same", 245.0, False),
        ({"answer_ms": 8.0}, "worse", 300.0, True),
        ({"depth": 5.0}, "worse", None, True),
        ({"health": 1.0}, "worse", None, True),
    ],
)
def test_change_has_direction_and_percent(
    now: dict[str, float | None], direction: str, percent: float | None, worse: bool
) -> None:
    found = saved.changes(BEFORE, {**BEFORE, **now})
    (name,) = now
    (change,) = [one for one in found if one.name == name]
    assert (change.direction, change.percent) == (direction, percent)
    assert saved.is_worse(found) == worse


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "is no JSON"),
        ("[1]", "holds no status"),
        ('{"kind": "another"}', "holds no status"),
        ('{"kind": "headrace status", "format": 2}', "is of format 2, this version reads 1"),
        ('{"kind": "headrace status", "format": 1, "figures": {"rate": "fast"}}', "a figure is no number"),
    ],
)
def test_file_that_holds_no_status_is_refused(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "kept.json"
    path.write_text(text)
    with pytest.raises(InputError, match=says):
        saved.kept_figures(path)


def test_file_that_cannot_be_reached_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        saved.kept_figures(tmp_path / "none")
    with pytest.raises(ConfigError, match="cannot be written"):
        saved.save(status_of(), tmp_path / "none" / "kept.json")
