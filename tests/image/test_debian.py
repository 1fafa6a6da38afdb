"""What README promises of Python, on the Debian that comes with it: the demo, the checks and the suite there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.image.builder import answer, carried_out
from tests.image.debian import script

LIMIT_S = 5_400
QUESTIONS = """
echo "@python $(inside python3 --version)"
try demo
sed -n 's/.*truth:/@truth/p' /mnt/said
try lint
try test
"""


@pytest.mark.parametrize(("release", "python"), [("trixie", "3.13"), ("forky", "3.14")])
def test_demo_checks_and_suite_hold(release: str, python: str, tmp_path: Path) -> None:
    said = carried_out(script(release, QUESTIONS), tmp_path / "log", LIMIT_S)
    assert answer(said, "python").startswith(f"Python {python}.")
    targets = {name: answer(said, name) for name in ("demo", "lint", "test")}
    log = (tmp_path / "log").read_text(errors="replace")
    assert targets == {"demo": "well", "lint": "well", "test": "well"}, log[-6000:]
    assert "F1 0.99" in answer(said, "truth")
