"""`match --pairs` weighs the pairs that are named as the match itself does, whether or not a pass would make them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from core.errors import ConfigError
from core.linkage.request import MatchRequest
from core.made_records.persons.generator import generate_persons
from core.workloads.identity.cli.given_pairs import match_given_pairs
from tests.command import headrace


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """people.csv and its match."""
    made = tmp_path_factory.mktemp("given")
    generate_persons(300, seed=5, duplicates=0.3).drop("entity_id").write_csv(made / "people.csv")
    done = headrace("match", "people.csv", "--out", "out.parquet", env=state(made), cwd=made)
    assert done.returncode == 0, done.stderr
    return made


def state(folder: Path) -> dict[str, str]:
    return {"HEADRACE_STATE_DIR": str(folder / "state")}


def test_a_given_pair_weighs_what_it_weighs_in_the_match(folder: Path, tmp_path: Path) -> None:
    before = pl.read_parquet(folder / "out.pairs.parquet")
    ids = pl.read_csv(folder / "people.csv")["id"]
    strangers = pl.DataFrame({"id_a": [ids[0]], "id_b": [ids[-1]]})
    # The other way round, and one of them twice: neither order nor repetition changes a score.
    turned = before.select(id_a="id_b", id_b="id_a")
    pl.concat([turned, turned[:1], strangers]).write_csv(tmp_path / "pairs.csv")
    words = ["match", "people.csv", "--pairs", tmp_path / "pairs.csv", "--out", tmp_path / "scored.parquet", "--json"]
    done = headrace(*words, env=state(folder), cwd=folder)
    assert done.returncode == 0, done.stderr
    scored = pl.read_parquet(tmp_path / "scored.parquet")
    assert scored["score"].to_list() == [*before["score"], before["score"][0], scored["score"][-1]]
    assert scored["decision"].to_list()[:-2] == before["decision"].to_list()
    assert scored["pattern"].to_list()[:-2] == before["pattern"].to_list()
    assert scored["decision"][-1] == "differ"
    assert json.loads(done.stdout)["pairs"] == scored.height
    assert [path for path in (folder / "state").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ("id_a,id_b\nP0000001,nobody\n", "row 1: names a record that is not in the input"),
        ("id_a,id_b\nP0000001,P0000001\n", "row 1: names one record twice"),
        ("a,b\n1,2\n", "no column id_a"),
    ],
)
def test_pairs_that_cannot_be_meant_are_told(folder: Path, tmp_path: Path, rows: str, sentence: str) -> None:
    (tmp_path / "pairs.csv").write_text(rows)
    words = ["match", "people.csv", "--pairs", tmp_path / "pairs.csv", "--out", tmp_path / "scored.csv"]
    done = headrace(*words, env=state(folder), cwd=folder)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert not (tmp_path / "scored.csv").exists()


@pytest.mark.parametrize("said", [{"removed": "gone.csv"}, {"changed": "replace", "removed": "gone.csv"}])
def test_records_that_change_or_leave_are_no_matter_of_pairs(said: dict[str, Any]) -> None:
    request = MatchRequest(input="people.csv", id_column="id", against="base.parquet", **said)
    with pytest.raises(ConfigError, match=f"leave out `{next(iter(said))}`"):
        match_given_pairs(request, Path("x.csv"), via="local", threads=1, tell=lambda _: None, as_json=True)


def test_what_is_about_entities_is_refused(folder: Path, tmp_path: Path) -> None:
    words = ["match", "people.csv", "--pairs", "x.csv", "--out", tmp_path / "o.csv"]
    done = headrace(*words, "--with-columns", "all", env=state(folder), cwd=folder)
    assert (done.returncode, "leave out --with-columns" in done.stderr) == (2, True), done.stderr
    done = headrace(*words, "--via", "prefect", env=state(folder), cwd=folder)
    assert (done.returncode, "leave out --via prefect" in done.stderr) == (2, True), done.stderr
