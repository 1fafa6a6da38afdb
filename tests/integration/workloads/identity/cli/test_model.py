from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from core.cli.app import build
from core.errors import ConfigError, MatchError
from core.made_records.persons.population import plan_population
from core.matching.scoring.model import Model
from core.workloads.identity.made_persons.files import write_persons


def headrace(*words: str) -> str:
    done = CliRunner().invoke(build(), list(words), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_STATE_DIR", str(tmp_path / "state"))


@pytest.fixture
def persons(tmp_path: Path) -> Path:
    path = tmp_path / "persons.parquet"
    write_persons(plan_population(3_000, 5, 0.3), path)
    return path


@pytest.fixture
def model(persons: Path, tmp_path: Path) -> Path:
    path = tmp_path / "persons.model.json"
    assert "15 fields learnt from 3,000 records" in headrace("model", "train", str(persons), "--out", str(path))
    return path


def test_model_gives_the_answer_of_the_run_that_would_learn_it(persons: Path, model: Path, tmp_path: Path) -> None:
    assert model.stat().st_mode & 0o777 == 0o600
    learnt, reused = tmp_path / "learnt.parquet", tmp_path / "reused.parquet"
    headrace("match", str(persons), "--out", str(learnt))
    summary = json.loads(headrace("match", str(persons), "--model", str(model), "--out", str(reused), "--json"))
    assert pl.read_parquet(learnt).equals(pl.read_parquet(reused))
    pairs = (pl.read_parquet(path.with_name(f"{path.stem}.pairs.parquet")) for path in (learnt, reused))
    assert next(pairs).equals(next(pairs))
    assert summary["model"]["trained_rows"] == 3_000
    assert summary["model"]["drift"]["worst_psi"] == 0.0
    assert not any("drift" in notice for notice in summary["notices"])
    # The record of a run holds its model: it can be used as a model file.
    again = json.loads(headrace("match", str(persons), "--model", str(tmp_path / "learnt.run.json"), "--json"))
    assert again["model"]["drift"]["worst_psi"] == 0.0


def test_other_records_are_used_and_drift_is_told(model: Path, tmp_path: Path) -> None:
    other, out = tmp_path / "other.parquet", tmp_path / "out.parquet"
    write_persons(plan_population(6_000, 6, 0.3), other)
    screen = headrace("match", str(other), "--model", str(model), "--out", str(out))
    assert f"model: {model}, drift at most 0." in screen.replace("\n", "")
    kept = json.loads((tmp_path / "out.run.json").read_text())["model"]
    assert Model.model_validate(kept) == Model.from_json(model.read_text())


def test_records_that_drifted_are_refused_with_the_field(persons: Path, model: Path, tmp_path: Path) -> None:
    sparse = tmp_path / "sparse.parquet"
    keep = pl.int_range(pl.len()) % 100 == 0
    pl.read_parquet(persons).with_columns(ssn=pl.when(keep).then("ssn")).write_parquet(sparse)
    with pytest.raises(MatchError, match="field ssn drifted most") as caught:
        headrace("match", str(sparse), "--model", str(model))
    assert caught.value.facts["psi"] > caught.value.facts["limit"]
    summary = json.loads(headrace("match", str(sparse), "--model", str(model), "--allow-drift", "--json"))
    assert summary["model"]["drift"]["worst_field"] == "ssn"
    assert any("field ssn drifted most" in notice for notice in summary["notices"])


def test_model_of_another_spec_is_refused_before_any_work(persons: Path, model: Path, tmp_path: Path) -> None:
    with pytest.raises(MatchError, match="another spec or another mapping") as caught:
        headrace("match", str(persons), "--model", str(model), "--map", "email=")
    assert "train again" in caught.value.message
    assert not list((tmp_path / "state" / "workspaces" / "local").glob("*/manifest"))


def test_a_file_that_is_no_model_is_refused(persons: Path, tmp_path: Path) -> None:
    path = tmp_path / "no.json"
    path.write_text("[1, 2]")
    with pytest.raises(ConfigError, match="is no model"):
        headrace("model", "show", str(path))
    with pytest.raises(ConfigError, match="no such file|cannot be read|No such file"):
        headrace("model", "show", str(tmp_path / "absent.json"))
    with pytest.raises(ConfigError, match="there is no folder"):
        headrace("model", "train", str(persons), "--out", str(tmp_path / "absent" / "model.json"))


def test_show_lists_every_level_with_m_u_and_bits(model: Path) -> None:
    shown = json.loads(headrace("model", "show", str(model), "--json"))
    learnt = Model.from_json(model.read_text())
    assert len(shown["levels"]) == sum(len(field.levels) for field in learnt.fields)
    first = shown["levels"][0]
    field = learnt.fields[0]
    assert (first["field"], first["level"]) == ("first_name", "exact")
    assert (first["m"], first["u"], first["bits"]) == (
        field.shares["same"][-1], field.shares["chance"][-1], field.bits["same"][-1],
    )  # fmt: skip
    table = headrace("model", "show", str(model))
    assert f"{first['bits']:+.2f}" in table


def test_diff_puts_the_largest_change_first(model: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.model.json"
    content = json.loads(model.read_text())
    content["fields"][2]["bits"]["same"][-1] += 50.0
    other.write_text(json.dumps(content))
    found = json.loads(headrace("model", "diff", str(model), str(other), "--json"))
    assert found["same_spec"] is True
    assert (found["levels"][0]["field"], found["levels"][0]["level"]) == ("dob", "exact")
    assert found["levels"][0]["bits_change"] == pytest.approx(50.0)
    assert {row["bits_change"] for row in found["levels"][1:]} == {0.0}
    assert "+50.00" in headrace("model", "diff", str(model), str(other))
