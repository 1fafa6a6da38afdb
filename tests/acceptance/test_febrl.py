"""FEBRL 3 and 4 with the default spec, no labels, no tuning: what the command line reaches."""

from __future__ import annotations

import json
from pathlib import Path

from tests.acceptance.conftest import FEBRL_COLUMNS, Headrace, febrl_truth

MAPS = [part for field, column in FEBRL_COLUMNS.items() for part in ("--map", f"{field}={column}")]


def _quality(headrace: Headrace, out: Path, truth: Path) -> dict[str, float]:
    measured = headrace("evaluate", out, "--truth", truth, "--id", "rec_id", "--entity", "person", "--json")
    assert measured.returncode == 0, measured.stderr
    return dict(json.loads(measured.stdout)["pairwise"])


def test_febrl_3_within_one_file(headrace: Headrace, febrl: Path, tmp_path: Path) -> None:
    file, out = febrl / "dataset3.csv", tmp_path / "out.parquet"
    done = headrace("match", file, "--spec", "persons", *MAPS, "--id", "rec_id", "--out", out)
    assert done.returncode == 0, done.stderr
    assert "35 values are no dates; kept as keying errors" in " ".join(done.stderr.split())
    quality = _quality(headrace, out, febrl_truth([file], tmp_path / "truth.csv"))
    assert quality["f1"] >= 0.99
    assert quality["precision"] >= 0.995


def test_febrl_4_across_two_files(headrace: Headrace, febrl: Path, tmp_path: Path) -> None:
    files, out = [febrl / "dataset4a.csv", febrl / "dataset4b.csv"], tmp_path / "out.csv"
    done = headrace(
        "match", files[0], "--link", files[1], "--one-to-one", *MAPS, "--id", "rec_id", "--out", out, "--json"
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rows"] == 10_000
    quality = _quality(headrace, out, febrl_truth(files, tmp_path / "truth.csv"))
    assert quality["f1"] >= 0.99
