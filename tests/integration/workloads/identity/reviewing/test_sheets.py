"""The list of a data set as a sheet, and the sheet back as verdicts; what is stale is refused, not applied."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from core.database import DatabaseManager
from core.review.verdicts import holding
from core.workloads.identity.reviewing.cases import topic
from tests.command import headrace
from tests.web.pairs import CANARY, published


@pytest.fixture
def env(database_url: str) -> dict[str, str]:
    return {"HEADRACE_DATABASE__URL": database_url, "COLUMNS": "120"}


def exported(env: dict[str, str], dataset: str, out: Path) -> pl.DataFrame:
    done = headrace("review", "export", "--dataset", dataset, "--out", out, env=env)
    assert done.returncode == 0, done.stderr
    return pl.read_csv(out, infer_schema=False)


def decided(sheet: pl.DataFrame, words: dict[str, str]) -> pl.DataFrame:
    return sheet.with_columns(decision=pl.col("id_a").replace_strict(words, default=None))


@pytest.mark.parametrize("ending", ["csv", "parquet", "xlsx"])
def test_a_sheet_goes_out_and_comes_back_as_verdicts(
    env: dict[str, str], db: DatabaseManager, tmp_path: Path, ending: str
) -> None:
    name = f"sheet-{ending}"
    published(db, name, n_pairs=4)
    sheet = exported(env, name, tmp_path / "out.csv")
    assert sheet.select("id_a", "id_b", "first_name a", "version").row(0) == ("a0", "b0", CANARY, "1")
    assert sheet["reason"][0] == "agree: last_name; alike: first_name; differ: dob"
    given = tmp_path / f"given.{ending}"
    filled = decided(sheet, {"a0": "Match", "a2": "differ", "a3": "unsure"})
    {"csv": filled.write_csv, "parquet": filled.write_parquet, "xlsx": filled.write_excel}[ending](given)
    done = headrace("review", "import", given, "--dataset", name, env=env)
    assert (done.returncode, done.stdout) == (0, "recorded: 3 verdicts; open rows passed over: 1\n"), done.stderr
    again = json.loads(headrace("review", "import", given, "--dataset", name, "--json", env=env).stdout)
    assert again == {"n_recorded": 0, "n_repeated": 3, "n_open": 1, "refused": []}
    found = {held.subject[0]: held.verdict for held in holding(db, topic(name))}
    assert found == {"a0": "match", "a2": "differ", "a3": "unsure"}
    assert exported(env, name, tmp_path / "rest.csv")["id_a"].to_list() == ["a1"]


def test_a_stale_row_is_refused_and_the_others_are_recorded(
    env: dict[str, str], db: DatabaseManager, tmp_path: Path
) -> None:
    published(db, "stale", n_pairs=3)
    sheet = exported(env, "stale", tmp_path / "out.csv")
    decided(sheet, {"a0": "match"}).write_csv(tmp_path / "first.csv")
    assert headrace("review", "import", tmp_path / "first.csv", "--dataset", "stale", env=env).returncode == 0
    late = decided(sheet, {"a0": "differ", "a1": "differ", "a2": "match"})
    late = late.with_columns(seen=pl.when(pl.col("id_a") == "a2").then(pl.lit("v0")).otherwise("seen"))
    late.drop("version").write_csv(tmp_path / "late.csv")
    done = headrace("review", "import", tmp_path / "late.csv", "--dataset", "stale", env=env)
    assert done.returncode == 1
    assert "late.csv, row 1: refused: case" in done.stdout
    assert "was decided meanwhile: match, by" in done.stdout
    assert "late.csv, row 3: refused: case" in done.stdout
    assert "has changed since it was shown" in done.stdout
    assert {held.subject[0]: held.verdict for held in holding(db, topic("stale"))} == {"a0": "match", "a1": "differ"}


def test_review_export_and_import_refuse_in_one_sentence(
    env: dict[str, str], db: DatabaseManager, tmp_path: Path
) -> None:
    published(db, "known", n_pairs=1)
    (tmp_path / "no.csv").write_text("id_a,id_b,decision\nq1,q2,match\n")
    for arguments, code, said in (
        (
            ("export", "--dataset", "nowhere", "--out", tmp_path / "o.csv"),
            2,
            "there is no list of a data set 'nowhere'",
        ),
        (("export", "--out", tmp_path / "o.csv"), 2, "name the output of a match, or a job, or --dataset"),
        (("import", tmp_path / "none.csv", "--dataset", "known"), 2, "none.csv"),
        (("import", tmp_path / "no.csv", "--dataset", "known"), 1, "row 1: refused: no run asked about this pair"),
    ):
        refused = headrace("review", *arguments, env=env)
        assert (refused.returncode, said in refused.stderr + refused.stdout) == (code, True), refused.stderr


def test_a_mistyped_data_set_begins_no_list(env: dict[str, str], db: DatabaseManager, tmp_path: Path) -> None:
    published(db, "typed", n_pairs=2)
    sheet = decided(exported(env, "typed", tmp_path / "out.csv"), {"a0": "match"}).drop("version")
    sheet.write_csv(tmp_path / "given.csv")
    done = headrace("review", "import", tmp_path / "given.csv", "--dataset", "tpyed", env=env)
    assert done.returncode == 2
    assert "there is no list of a data set 'tpyed'" in done.stderr
    assert holding(db, topic("tpyed")) == []
