"""`headrace match` and `headrace explain` as a user meets them."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import polars as pl
import pytest

from tests.acceptance.conftest import Headrace

FIGURES = ("rows", "seconds", "rows_per_s", "candidate_pairs", "matches", "entities", "peak_rss_mb", "stages")
STAGES = ["ingest", "reduce", "encode", "block", "train", "plan", "match", "merge", "cluster", "survive", "publish"]


@pytest.fixture(scope="module")
def resolved(
    typed_headrace: Headrace, persons: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, object]]:
    """One run of 4,000 persons and its figures."""
    out = tmp_path_factory.mktemp("out") / "people.parquet"
    done = typed_headrace("match", persons, "--out", out, "--json")
    assert done.returncode == 0, done.stderr
    return out, json.loads(done.stdout)


def test_out_has_one_row_per_input_row_in_order(resolved: tuple[Path, dict[str, object]], persons: Path) -> None:
    out, figures = resolved
    frame = pl.read_parquet(out)
    assert frame.columns == ["id", "entity_id"]
    assert frame["id"].to_list() == pl.read_csv(persons, infer_schema=False)["id"].to_list()
    assert frame["entity_id"].n_unique() == figures["entities"]
    assert frame["entity_id"].null_count() == 0


def test_figures_are_complete(resolved: tuple[Path, dict[str, object]]) -> None:
    _, figures = resolved
    assert set(FIGURES) <= set(figures)
    assert list(figures["stages"]) == STAGES  # type: ignore[call-overload]
    assert figures["rows"] == 4_000


def test_answer_is_right(headrace: Headrace, resolved: tuple[Path, dict[str, object]], persons: Path) -> None:
    out, _ = resolved
    measured = headrace("evaluate", out, "--truth", persons, "--id", "id", "--entity", "entity_id", "--json")
    quality = json.loads(measured.stdout)
    assert quality["pairwise"]["f1"] >= 0.985
    assert quality["pairwise"]["precision"] >= 0.985
    assert quality["b_cubed"]["f1"] >= 0.985


def test_pairs_carry_score_pattern_and_rule(resolved: tuple[Path, dict[str, object]]) -> None:
    out, figures = resolved
    pairs = pl.read_parquet(out.with_name("people.pairs.parquet"))
    assert {"id_a", "id_b", "score", "confidence", "pattern", "rule", "decision", "joined"} <= set(pairs.columns)
    accepted = pairs.filter(pl.col("decision") == "match")
    assert accepted.height == figures["matches"]
    assert accepted["confidence"].min() >= 0.5  # type: ignore[operator]
    assert pairs["pattern"].str.contains("last_name=exact", literal=True).any()


def test_files_are_private(resolved: tuple[Path, dict[str, object]]) -> None:
    out, _ = resolved
    assert {stat.S_IMODE(path.stat().st_mode) for path in out.parent.iterdir()} == {0o600}


def test_answer_does_not_depend_on_format_or_threads(
    headrace: Headrace, resolved: tuple[Path, dict[str, object]], persons: Path, tmp_path: Path
) -> None:
    out, _ = resolved
    other = tmp_path / "people.parquet"
    pl.read_csv(persons, infer_schema=False).drop("entity_id").write_parquet(other)
    done = headrace("match", other, "--out", tmp_path / "out.csv", "--threads", "1")
    assert done.returncode == 0, done.stderr
    assert pl.read_csv(tmp_path / "out.csv", infer_schema=False).equals(pl.read_parquet(out))


def test_explain_says_why_in_words_and_json(headrace: Headrace, resolved: tuple[Path, dict[str, object]]) -> None:
    out, _ = resolved
    pair = pl.read_parquet(out.with_name("people.pairs.parquet")).row(0, named=True)
    told = headrace("explain", pair["id_a"], pair["id_b"], "--out", out)
    assert told.returncode == 0, told.stderr
    assert "last_name" in told.stdout
    assert "compared by" in told.stdout
    assert "in the output the records are one entity" in told.stdout
    told = json.loads(headrace("explain", pair["id_a"], pair["id_b"], "--out", out, "--json").stdout)
    assert told["total_bits"] == pytest.approx(pair["score"], abs=1e-3)
    assert told["same_entity"] is True


def test_explain_names_an_unknown_record(headrace: Headrace, resolved: tuple[Path, dict[str, object]]) -> None:
    told = headrace("explain", "nobody", "P0000001", "--out", resolved[0])
    assert told.returncode == 2
    assert told.stderr.startswith("headrace: there is no record 'nobody'")


def test_link_compares_only_across(headrace: Headrace, persons: Path, tmp_path: Path) -> None:
    whole = pl.read_csv(persons, infer_schema=False)
    first, second = tmp_path / "a.csv", tmp_path / "b.parquet"
    whole.head(2_000).write_csv(first)
    whole.tail(2_000).write_parquet(second)
    done = headrace("match", first, "--link", second, "--one-to-one", "--out", tmp_path / "out.parquet", "--json")
    assert done.returncode == 0, done.stderr
    frame = pl.read_parquet(tmp_path / "out.parquet")
    assert frame.columns == ["id", "source", "entity_id"]
    assert frame["source"].value_counts().sort("source").rows() == [(0, 2_000), (1, 2_000)]
    members = frame.group_by("entity_id").agg(pl.len(), pl.col("source").n_unique().alias("sources"))
    assert members["len"].max() == 2
    assert members.filter(pl.col("len") == 2)["sources"].unique().to_list() == [2]


def test_integer_ids_of_parquet_stay_integers(headrace: Headrace, persons: Path, tmp_path: Path) -> None:
    frame = pl.read_csv(persons, infer_schema=False).head(600).with_columns(id=pl.int_range(600, dtype=pl.Int64))
    frame.write_parquet(tmp_path / "in.parquet")
    assert headrace("match", tmp_path / "in.parquet", "--out", tmp_path / "out.parquet").returncode == 0
    assert pl.read_parquet(tmp_path / "out.parquet").schema["id"] == pl.Int64


BAD_OPTIONS = {
    "no such file": (["match", "absent.csv"], "absent.csv: no such file"),
    "unknown spec": (
        ["match", "in.csv", "--spec", "dogs"],
        "no spec 'dogs'; built in: ledgers, names, organisations, persons",
    ),
    "unknown way": (["match", "in.csv", "--via", "pigeon"], "Invalid value for '--via'"),
    "stray word": (
        ["match", "in.csv", "--allow-drift", "10"],
        "'10' is neither a file nor field=column; it is word 3 after `headrace match`, behind "
        "--allow-drift, which takes no value",
    ),
    "one to one alone": (["match", "in.csv", "--one-to-one"], "give the others with --link"),
    "too few fields": (["match", "names.csv", "--yes"], "only 0 of 14 passes can run"),
}


@pytest.mark.parametrize("name", BAD_OPTIONS)
def test_bad_request_is_one_sentence_and_exit_2(headrace: Headrace, tmp_path: Path, name: str) -> None:
    (tmp_path / "in.csv").write_text("id,first_name,last_name,dob,ssn\n1,ann,oak,1990-01-02,123456780\n")
    (tmp_path / "names.csv").write_text("id,first_name\n1,ann\n")
    arguments, sentence = BAD_OPTIONS[name]
    done = headrace(*arguments, "--out", "out.parquet", cwd=tmp_path)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "names.csv"]


def test_bad_value_stops_the_run_when_asked_and_leaves_nothing(
    typed_headrace: Headrace, persons: Path, tmp_path: Path
) -> None:
    lines = persons.read_text().splitlines()
    lines[17] = lines[17].replace(lines[17].split(",")[3], "31/02/1990")
    (tmp_path / "in.csv").write_text("\n".join(lines))
    done = typed_headrace("match", "in.csv", "--bad-values", "refuse", "--out", "out.parquet", cwd=tmp_path)
    assert done.returncode == 2
    assert "in.csv" in done.stderr
    assert "line 18" in done.stderr
    assert "dob" in done.stderr
    assert "1990" not in done.stderr
    assert os.listdir(tmp_path) == ["in.csv"]


def test_bad_row_is_set_aside_when_asked(headrace: Headrace, persons: Path, tmp_path: Path) -> None:
    lines = persons.read_text().splitlines()
    lines[17] += ",one,too,many"
    (tmp_path / "in.csv").write_text("\n".join(lines))
    done = headrace("match", "in.csv", "--out", "out.parquet", "--bad-rows", "quarantine", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert (figures["rows"], figures["quarantined"]) == (3_999, 1)
    aside = pl.read_csv(tmp_path / "out.bad.csv", infer_schema=False)
    assert aside["line"].to_list() == ["18"]
