"""New records added to a finished match: the answer of one run over all, ids that last, decisions that hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest

from core.errors import ConfigError, InputError
from core.jobs.local import run_job
from core.jobs.local_source import LocalManifest
from core.linkage.history.base_run import open_base
from core.linkage.history.models import MODEL, write_model
from core.linkage.job import LinkageJob
from core.linkage.prepare import describe, understand
from core.linkage.request import MatchRequest
from core.linkage.resolve import resolve
from core.linkage.results.outputs import write_outputs
from core.linkage.results.report_facts import gather
from core.linkage.results.report_page import render
from core.linkage.results.review_list import review_list
from core.linkage.run_record import sink_table
from core.linkage.stages.table import TABLE
from core.made_records.persons.generator import generate_persons
from core.storage.workspace import Workspace

ROWS, OLD = 3_000, 2_400
EDGE = ("id_a", "id_b", "score", "tf_bits", "pattern", "rule", "passes", "decision")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Persons in three files: old, new and both, and the finished match of the old ones."""
    folder = tmp_path_factory.mktemp("increments")
    persons = generate_persons(ROWS, seed=11, duplicates=0.3).sample(fraction=1.0, shuffle=True, seed=5)
    persons.write_parquet(folder / "both.parquet")
    persons[:OLD].write_csv(folder / "old.csv")
    persons[OLD:].write_csv(folder / "new.csv")
    run(folder, "old.csv", "base.parquet")
    return folder


def run(folder: Path, name: str, out: str, **extra: Any) -> dict[str, Any]:
    request = MatchRequest(input=str(folder / name), id_column="id", out=str(folder / out), **extra)
    return resolve(request, folder / "work")


def partition(path: Path) -> set[frozenset[str]]:
    return {frozenset(ids) for ids in pl.read_parquet(path).group_by("entity_id").agg("id")["id"].to_list()}


def edges_of(path: Path) -> pl.DataFrame:
    """Edges with the smaller id first, whichever row came first."""
    frame = pl.read_parquet(path).select(EDGE)
    return frame.with_columns(id_a=pl.min_horizontal("id_a", "id_b"), id_b=pl.max_horizontal("id_a", "id_b")).sort(
        "id_a", "id_b"
    )


def whole_under(folder: Path, base: Path) -> Path:
    """One run over all records, under what the base has frozen."""
    opened = open_base(base)
    request = MatchRequest(input=str(folder / "both.parquet"), id_column="id")
    workspace = Workspace(str(folder / "work" / "whole"))
    described = describe(replace(understand(request), key="whole"), workspace).model_copy(
        update={"frozen": opened.frozen}
    )
    write_model(opened.model, workspace.root / MODEL)
    source = LocalManifest(workspace.root)
    job = LinkageJob(described, TABLE, workspace, source)
    run_job(job, source, on_progress=lambda stage, done, total: None)
    write_outputs(job, folder / "whole.parquet", {})
    return folder / "whole.parquet"


def test_increment_equals_one_run_over_all_records(folder: Path) -> None:
    summary = run(folder, "new.csv", "added.parquet", against=str(folder / "base.parquet"))
    whole = whole_under(folder, folder / "base.parquet")
    left_out = [each["left_out"] for each in plan_of(folder)]
    assert not any(left_out), "a windowed block may differ: the test wants none"
    added = pl.read_parquet(folder / "added.parquet")
    assert added["id"].to_list() == pl.read_parquet(folder / "both.parquet")["id"].to_list()
    assert edges_of(folder / "added.pairs.parquet").equals(edges_of(folder / "whole.pairs.parquet"))
    assert partition(folder / "added.parquet") == partition(whole)
    before = orjson.loads((folder / "base.run.json").read_bytes())["summary"]
    assert summary["candidate_pairs"] < before["candidate_pairs"]
    assert summary["changes"]["new"] > 0


def plan_of(folder: Path) -> list[dict[str, Any]]:
    """Figures of the passes of the whole run."""
    return orjson.loads((folder / "work" / "whole" / "manifest" / "plan" / "00000.json").read_bytes())["passes"]


def test_increment_keeps_published_ids_and_logs_what_ends(folder: Path) -> None:
    run(folder, "new.csv", "added.parquet", against=str(folder / "base.parquet"))
    base, added = pl.read_parquet(folder / "base.parquet"), pl.read_parquet(folder / "added.parquet")
    log = pl.read_parquet(folder / "added.changes.parquet")
    ended = set(log.filter(pl.col("kind").is_in(["merge", "gone"]))["from_id"])
    assert set(base["entity_id"]) - set(added["entity_id"]) == ended
    begun = set(log.filter(pl.col("kind") == "new")["entity_id"])
    assert set(added["entity_id"]) - set(base["entity_id"]) == begun
    assert set(log["version"]) == {1}
    moved = base.join(added, on="id", suffix="_now").filter(pl.col("entity_id") != pl.col("entity_id_now"))
    assert set(moved["entity_id"]) == ended


def test_increments_follow_each_other_and_the_log_grows(folder: Path) -> None:
    new = pl.read_csv(folder / "new.csv", infer_schema=False)
    new[:300].write_csv(folder / "first.csv")
    new[300:].write_csv(folder / "second.csv")
    run(folder, "new.csv", "added.parquet", against=str(folder / "base.parquet"))
    run(folder, "first.csv", "one.parquet", against=str(folder / "base.parquet"))
    run(folder, "second.csv", "two.parquet", against=str(folder / "one.parquet"))
    assert edges_of(folder / "two.pairs.parquet").equals(edges_of(folder / "added.pairs.parquet"))
    assert partition(folder / "two.parquet") == partition(folder / "added.parquet")
    one, two = (pl.read_parquet(folder / f"{name}.changes.parquet") for name in ("one", "two"))
    assert two[: one.height].equals(one)
    assert set(two["version"]) == {1, 2}


def decide(folder: Path, *rows: tuple[str, str, str]) -> str:
    frame = pl.DataFrame(rows, schema=["id_a", "id_b", "decision"], orient="row")
    frame.with_columns(by=pl.lit("ann"), at=pl.lit("2026-05-01")).write_csv(folder / "decisions.csv")
    return str(folder / "decisions.csv")


def test_one_record_with_empty_columns_can_be_added_and_added_to(folder: Path) -> None:
    """Nobody has a value in every column; the increment after it opens the same file again."""
    old = pl.read_csv(folder / "old.csv", infer_schema=False)
    bare = {"id": "bare", "ssn": None, "email": None, "phone": None, "dob": None}
    kept = old.filter(pl.all_horizontal(pl.col("ssn", "email", "phone", "dob", "street").is_not_null()))[:1]
    kept.with_columns(pl.lit(bare[name], dtype=pl.String).alias(name) for name in bare).write_csv(folder / "one.csv")
    run(folder, "one.csv", "with_one.parquet", against=str(folder / "base.parquet"), allow_drift=True)
    members = dict(pl.read_parquet(folder / "with_one.parquet").select("id", "entity_id").iter_rows())
    assert len(members) == OLD + 1
    assert pl.read_parquet(folder / "with_one.pairs.parquet").filter(pl.col("id_b") == "bare").height
    run(folder, "new.csv", "after_one.parquet", against=str(folder / "with_one.parquet"), allow_drift=True)
    assert pl.read_parquet(folder / "after_one.parquet").height == ROWS + 1


def test_decisions_hold_against_chains_and_over_increments(folder: Path) -> None:
    base = pl.read_parquet(folder / "base.parquet")
    several = base.filter(pl.len().over("entity_id") > 1).group_by("entity_id", maintain_order=True).agg("id")["id"]
    a, b = several[0][0], several[0][1]
    single = base.filter(pl.len().over("entity_id") == 1)["id"]
    path = decide(folder, (a, b, "differ"), (single[0], single[1], "match"))
    run(folder, "old.csv", "decided.parquet", decisions=path)
    run(folder, "new.csv", "kept.parquet", against=str(folder / "decided.parquet"))
    for name in ("decided", "kept"):
        entity = dict(pl.read_parquet(folder / f"{name}.parquet").select("id", "entity_id").iter_rows())
        assert entity[a] != entity[b]
        assert entity[single[0]] == entity[single[1]]
    pairs = pl.read_parquet(folder / "decided.pairs.parquet").filter(pl.col("kept_apart_by") == "decision")
    told = pairs.filter(pl.col("id_a").is_in([a, b]) & pl.col("id_b").is_in([a, b]))
    assert told.select("decision", "joined", "kept_apart_id").rows() == [("review", False, "ann")]
    assert pl.read_parquet(folder / "kept.decisions.parquet").height == 2
    later = decide(folder, (a, b, "match"))
    with pytest.raises(InputError, match="told apart, but other decisions make them one"):
        run(folder, "new.csv", "no.parquet", against=str(folder / "decided.parquet"), decisions=later)


def test_bad_decisions_are_refused_before_any_work(folder: Path) -> None:
    known = pl.read_parquet(folder / "base.parquet")["id"]
    for rows, said in (
        ([(known[0], known[1], "same")], "row 1: a decision names"),
        ([(known[0], known[0], "match")], "row 1: a decision names"),
        ([(known[0], "nobody", "match")], "not in the input, 'nobody' for one"),
        (
            [(known[0], known[1], "match"), (known[1], known[2], "match"), (known[0], known[2], "differ")],
            "told apart, but",
        ),
    ):
        with pytest.raises(InputError, match=said):
            run(folder, "old.csv", "no.parquet", decisions=decide(folder, *rows))
    (folder / "short.csv").write_text("id_a,decision\n1,match\n")
    with pytest.raises(InputError, match="no column id_b"):
        run(folder, "old.csv", "no.parquet", decisions=str(folder / "short.csv"))


def test_what_cannot_be_added_to_is_refused(folder: Path) -> None:
    with pytest.raises(InputError, match="are in .* already"):
        run(folder, "old.csv", "no.parquet", against=str(folder / "base.parquet"))
    with pytest.raises(ConfigError, match="give the `out` of a finished"):
        run(folder, "new.csv", "no.parquet", against=str(folder / "nothing.parquet"))
    with pytest.raises(ConfigError, match="leave out `model`"):
        run(folder, "new.csv", "no.parquet", against=str(folder / "base.parquet"), model=str(folder / "base.run.json"))
    base = pl.read_parquet(folder / "base.parquet")
    try:
        base.with_columns(entity_id="id").write_parquet(folder / "base.parquet")
        with pytest.raises(InputError, match="an entity_id is none that Headrace gave; match again"):
            run(folder, "new.csv", "no.parquet", against=str(folder / "base.parquet"))
        base[1:].write_parquet(folder / "base.parquet")
        with pytest.raises(InputError, match=r"has 2,399 records, but its run had 2,400; match again"):
            run(folder, "new.csv", "no.parquet", against=str(folder / "base.parquet"))
    finally:
        base.write_parquet(folder / "base.parquet")
    pl.read_csv(folder / "new.csv", infer_schema=False).drop("zip").write_csv(folder / "narrow.csv")
    with pytest.raises(InputError, match="no column for zip"):
        run(folder, "narrow.csv", "no.parquet", against=str(folder / "base.parquet"))
    old = (folder / "old.csv").read_text()
    (folder / "old.csv").write_text(
        old + old.splitlines()[-1].replace(old.splitlines()[-1].split(",")[0], "extra") + "\n"
    )
    try:
        with pytest.raises(InputError, match="has changed since it was matched"):
            run(folder, "new.csv", "no.parquet", against=str(folder / "base.parquet"))
    finally:
        (folder / "old.csv").write_text(old)
    assert not (folder / "no.parquet").exists()


def test_a_review_list_is_taken_back_as_it_is(folder: Path) -> None:
    listed = review_list(folder / "base.parquet", limit=3)
    assert listed.frame.height == 3
    assert listed.n_beyond > 0
    both = listed.frame.row(0, named=True)
    shown = gather(folder / "base.parquet", with_values=True)
    page = render(shown)
    assert shown.examples
    assert all(f"<code>{record}</code>" in page for each in shown.examples for record in each.ids)
    texts = pl.read_csv(folder / "old.csv", infer_schema=False).rows_by_key("id", named=True, unique=True)
    assert [both["last_name a"], both["street b"]] == [texts[both["id_a"]]["last_name"], texts[both["id_b"]]["street"]]
    path = folder / "review.xlsx"
    # Somebody decides the first, and the second was seen when its records had other values.
    filled = listed.frame.with_columns(
        decision=pl.Series(["differ", "Match", None]),
        seen=pl.Series([both["seen"], "v00000000-0000", None], dtype=pl.String),
    )
    sink_table(filled.lazy(), path, path)
    request = MatchRequest(input=str(folder / "old.csv"), id_column="id", decisions=str(path))
    described = describe(understand(request), Workspace(str(folder / "review")))
    assert [notice for notice in described.notices if "review.xlsx" in notice] == [
        f"{path}: 1 rows are open and were passed over",
        f"{path}: 1 decisions, row 2 for one, were made on other values than the input has now; they hold, so look at "
        "them again",
    ]
    kept = pl.read_parquet(folder / "review" / "base" / "decisions.parquet")
    assert kept.select("id_a", "id_b", "decision").row(0) == (both["id_a"], both["id_b"], "differ")
