"""What the version before left in files is gone on with and read: a half-done job, finished runs, a model."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from core.linkage.request import MatchRequest
from core.linkage.results.outline import linking_of
from core.linkage.stages.needs import STAGES  # promised to nobody: it may move

Headrace = Callable[..., str]
Answered = Callable[..., Any]


def beside(out: Path, kind: str) -> pl.DataFrame:
    return pl.read_parquet(out.with_name(f"{out.stem}.{kind}.parquet"))


def test_half_done_job_goes_on_where_it_was_killed(here: Path, answered: Answered, tmp_path: Path) -> None:
    workspaces = here / "state" / "workspaces" / "local"
    (job,) = (path.parent for path in workspaces.glob("*/job.json"))
    before, attempts = acknowledged(job), attempts_of(job)
    assert [len([name for name in before if name.startswith(f"{stage}/0")]) for stage in STAGES[:8]] == [
        6, 1, 6, 4, 1, 1, 3, 0,
    ]  # fmt: skip
    out, golden = tmp_path / "out.parquet", tmp_path / "golden.parquet"
    words = ["match", here / "persons.csv", "--out", out, "--entities", golden, "--keep-workspace"]
    figures = answered(*words)
    assert [path.name for path in workspaces.iterdir()] == [job.name]
    assert {name: content for name, content in acknowledged(job).items() if name in before} == before
    assert {name: folders for name, folders in attempts_of(job).items() if name in before} == attempts
    assert (list(figures["stages"]), figures["batches"]["match"]) == (list(STAGES), 8)
    assert pl.read_parquet(out).equals(pl.read_parquet(here / "resolved.parquet"))
    pairs = beside(here / "resolved.parquet", "pairs")
    assert beside(out, "pairs").select(pairs.columns).equals(pairs)
    entities = pl.read_parquet(golden)
    assert set(entities["entity_id"]) == set(pl.read_parquet(out)["entity_id"])
    # Their values are read from the checked copy that the killed process had made of the file.
    assert entities["last_name"].null_count() == 0


def acknowledged(job: Path) -> dict[str, bytes]:
    """Sizes of stages, and what finished batches found, by their name in the manifest."""
    return {
        path.relative_to(job / "manifest").as_posix(): path.read_bytes() for path in (job / "manifest").glob("*/*.json")
    }


def attempts_of(job: Path) -> dict[str, list[str]]:
    """The folders that attempts of each finished batch wrote."""
    return {
        name: sorted(path.name for path in job.glob(f"{name.removesuffix('.json')}-*")) for name in acknowledged(job)
    }


def test_stored_request_that_links_files_keeps_its_mode(here: Path) -> None:
    stored = json.loads((here / "resolved.run.json").read_text())["job"]["request"]
    assert stored["one_to_one"] is False
    assert linking_of(MatchRequest.model_validate(stored | {"link": ["b.csv"]})) == {"mode": "every"}
    exclusive = MatchRequest.model_validate(stored | {"link": ["b.csv"], "one_to_one": True})
    assert linking_of(exclusive) == {"mode": "exclusive", "shared": []}


def test_finished_run_is_explained_as_before(here: Path, explained: list[str], answered: Answered) -> None:
    before = json.loads((here / "explained.json").read_text())
    found = answered("explain", *explained, "--out", here / "resolved.parquet")
    assert before["same_entity"] is True
    assert {name: found[name] for name in before} == before


def test_finished_run_is_evaluated_as_before(here: Path, answered: Answered) -> None:
    before = json.loads((here / "evaluated.json").read_text())
    words = ["--truth", here / "persons.csv", "--id", "id", "--entity", "entity_id"]
    found = answered("evaluate", here / "resolved.parquet", *words)
    assert before["pairwise"]["f1"] > 0.9
    assert {name: found[name] for name in before} == before


def test_finished_run_becomes_a_page(here: Path, headrace: Headrace, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    headrace("report", here / "resolved.parquet", "--out", page, "--with-values")
    text = page.read_text()
    figures = json.loads((here / "resolved.run.json").read_text())["summary"]
    assert f"{figures['entities']:,}" in text
    assert "<svg" in text
    assert "persons.csv" in text


def test_finished_run_is_added_to_as_before(here: Path, answered: Answered, tmp_path: Path) -> None:
    out = tmp_path / "june.parquet"
    words = ["--against", here / "resolved.parquet", "--decisions", here / "decisions.csv", "--out", out]
    answered("match", here / "more.csv", *words)
    before = here / "june.parquet"
    assert pl.read_parquet(out).equals(pl.read_parquet(before))
    for kind in ("pairs", "decisions", "changes"):
        # Columns may have been added, and pairs that a person told apart are for review now.
        known, found = beside(before, kind), beside(out, kind)
        if kind == "pairs":
            apart = found["kept_apart_by"].is_not_null()
            assert found.filter(apart)["kept_apart_by"].to_list() == ["decision"]
            known, found = known.filter(~apart), found.filter(~apart)
        assert found.select(known.columns).equals(known), kind


def test_run_that_was_added_to_keeps_its_decisions_and_its_log(here: Path, answered: Answered, tmp_path: Path) -> None:
    before, out = here / "june.parquet", tmp_path / "july.parquet"
    figures = answered("match", here / "newest.csv", "--against", before, "--out", out)
    assert figures["model"]["trained_rows"] == 360
    assert beside(out, "decisions").equals(beside(before, "decisions"))
    log, known = beside(out, "changes"), beside(before, "changes")
    assert log.head(known.height).equals(known)
    assert set(log["version"]) == {1, 2}
    both = pl.read_parquet(before).join(pl.read_parquet(out), on="id", suffix="_now")
    assert both.height == 440
    renamed = both.filter(pl.col("entity_id") != pl.col("entity_id_now"))["entity_id"]
    assert set(renamed) <= set(log.filter(pl.col("version") == 2)["from_id"])


def test_model_is_shown_and_used(here: Path, answered: Answered, tmp_path: Path) -> None:
    model, out = here / "people.model.json", tmp_path / "out.parquet"
    assert answered("model", "show", model)["rows"] == 360
    figures = answered("match", here / "persons.csv", "--model", model, "--out", out)
    assert figures["model"]["trained_rows"] == 360
    # Short names are compared more strictly than by the version that trained it.
    assert figures["model"]["drift"]["worst_psi"] < 0.02
    assert pl.read_parquet(out).equals(pl.read_parquet(here / "resolved.parquet"))
    same = answered("model", "diff", model, tmp_path / "out.run.json")
    assert (same["same_spec"], {level["bits_change"] for level in same["levels"]}) == (True, {0.0})
