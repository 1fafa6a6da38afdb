"""`headrace emissions`: what its commands print, and how they end."""

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


def test_a_demo_is_made_computed_and_held_against_the_truth(tmp_path: Path) -> None:
    done = headrace("emissions", "demo", "--out", "demo", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "100.000 % of fates" in done.stdout
    assert "made with screening figures" in done.stdout
    assert max(map(len, done.stdout.splitlines()[:20])) <= 80
    told = headrace("emissions", "explain", "L000000990", "--run", "demo/answer", cwd=tmp_path)
    assert "epa-supply-chain v1.3.0" in told.stdout


def test_columns_named_with_other_capitals_are_read(tmp_path: Path) -> None:
    line = "1,2024-05-02,1000,EUR,541511,naics-2017,purchaser"
    (tmp_path / "lines.csv").write_text(f"Line ID,Date,AMOUNT,Currency,Code,code-scheme,Valuation\n{line}\n")
    done = headrace("emissions", "run", "--lines", "lines.csv", "--out", "out", "--json", cwd=tmp_path)
    assert json.loads(done.stdout)["by_fate"]["counted"]["lines"] == 1, done.stdout


def test_what_cannot_be_read_ends_with_2_and_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "lines.csv").write_text("id,amount\n1,5\n")
    for words, why in (
        (("--lines", "none.csv"), "none.csv is not there"),
        (("--lines", "lines.csv"), "has no column 'line_id' for line_id"),
        (("--lines", "lines.csv", "--map", "lineid=id"), "lines have no such column"),
        (("--lines", "lines.csv", "--map", "amount"), "is neither ours=theirs nor a file"),
        (("--lines", "lines.csv", "--factors", "none.yaml"), "is neither 'starter' nor a file"),
    ):
        done = headrace("emissions", "run", *words, "--out", "out", cwd=tmp_path)
        assert (done.returncode, why in done.stderr) == (2, True), done.stderr
        assert not (tmp_path / "out").exists()
