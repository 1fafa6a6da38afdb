"""`headrace factors`: what its commands print, and how they end."""

from __future__ import annotations

import json
from pathlib import Path

from tests.command import headrace

FILES = Path(__file__).parents[1] / "factors" / "files"


def test_factors_are_listed_loaded_checked_compared_and_explained(tmp_path: Path) -> None:
    state = {"HEADRACE_STATE_DIR": str(tmp_path / "state")}
    epa = [str(FILES / f"epa_supply_chain_{name}_co2e_cut.csv") for name in ("v1.2", "v1.3.0")]
    assert "desnz" in headrace("factors", "sources", cwd=tmp_path).stdout
    loaded = headrace(
        "factors", "load", "epa-supply-chain", epa[1], "--factors", "ours", "--json", cwd=tmp_path, env=state
    )
    assert json.loads(loaded.stdout)["is_new"], loaded.stderr
    listed = headrace("factors", "list", "--json", cwd=tmp_path, env=state)
    assert {row["set"] for row in json.loads(listed.stdout)} == {"starter", "ours"}
    told = headrace("factors", "explain", "naics-2017", "541511", "--factors", "ours", cwd=tmp_path, env=state)
    assert "Custom Computer Programming Services" in told.stdout
    moved = headrace("factors", "diff", *epa, "--json", cwd=tmp_path)
    assert json.loads(moved.stdout)["both"] == 5
    assert "all hold" in headrace("factors", "check", epa[0], cwd=tmp_path).stdout
    bad = tmp_path / "bad.csv"
    bad.write_text(Path(epa[0]).read_text(encoding="utf-8").replace("0.097,0,0.097", "0.097,0,0.3"))
    assert headrace("factors", "check", "bad.csv", cwd=tmp_path).returncode == 1
