from __future__ import annotations

import json
import shlex
from pathlib import Path

import polars as pl
import pytest

from core.made_records.kinds import make_records
from tests.command import headrace


@pytest.mark.parametrize(("kind", "least"), [("papers-clean", 0.8), ("suppliers", 0.4)])
def test_suggested_spec_runs_as_it_comes(kind: str, least: float, tmp_path: Path) -> None:
    records = make_records(kind, 600, 11)
    for number, frame in enumerate(records):
        frame.write_csv(tmp_path / f"{number}.csv")
    links = [word for number in range(1, len(records)) for word in ("--link", f"{number}.csv")]
    done = headrace("spec", "suggest", "0.csv", *links, "--out", "first.yaml", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert {"fields", "passes", "left_out", "records"} <= facts.keys()
    state = {"HEADRACE_STATE_DIR": str(tmp_path / "state")}
    matched = headrace(*shlex.split(facts["command"])[1:], cwd=tmp_path, env=state)
    assert matched.returncode == 0, matched.stderr
    found = pl.read_parquet(tmp_path / "entities.parquet").select("id", found="entity_id")
    truth = pl.concat(records).select("id", "entity_id").join(found, on="id")
    both = truth.join(truth, on=["entity_id", "found"]).filter(pl.col("id") < pl.col("id_right")).height
    true = truth.join(truth, on="entity_id").filter(pl.col("id") < pl.col("id_right")).height
    assert both >= least * true


def test_sentences_say_what_comes_next_and_an_edited_spec_is_not_overwritten(tmp_path: Path) -> None:
    make_records("sites", 60, 2)[0].write_csv(tmp_path / "sites.csv")
    words = ("spec", "suggest", "sites.csv", "--out", "sites.yaml")
    done = headrace(*words, cwd=tmp_path)
    assert done.stdout.splitlines()[-1] == (
        "next: headrace match sites.csv --id id --spec sites.yaml --out entities.parquet"
    )
    before = (tmp_path / "sites.yaml").read_text(encoding="utf-8")
    again = headrace(*words, cwd=tmp_path)
    assert again.returncode == 2
    assert "it is there already" in again.stderr
    assert (tmp_path / "sites.yaml").read_text(encoding="utf-8") == before


@pytest.mark.parametrize(
    ("out", "words"), [("spec.json", "a spec is a .yaml file"), ("no/spec.yaml", "there is no folder no")]
)
def test_spec_that_cannot_be_written_is_refused_first(out: str, words: str, tmp_path: Path) -> None:
    done = headrace("spec", "suggest", "missing.csv", "--out", out, cwd=tmp_path)
    assert done.returncode == 2
    assert words in done.stderr
