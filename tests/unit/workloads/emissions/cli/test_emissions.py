"""`headrace emissions conformance`: ends with 0 for the vectors of Headrace, with 1 for a wrong one."""

from __future__ import annotations

import json
from pathlib import Path

from tests.command import headrace


def test_conformance_prints_rows_and_ends_with_what_they_say(tmp_path: Path) -> None:
    done = headrace("emissions", "conformance", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert {row["verdict"] for row in json.loads(done.stdout)} == {"fits", "misprint"}
    (tmp_path / "v.yaml").write_text("units: {refused: [kg]}")
    wrong = headrace("emissions", "conformance", "--vectors", "v.yaml", cwd=tmp_path)
    assert wrong.returncode == 1
    assert "0 fit, 0 misprints of the source, 1 wrong" in wrong.stdout
