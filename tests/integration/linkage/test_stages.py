"""What the stages of a job leave to one another, seen from a run whose large blocks are cut and windowed."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from core.jobs.local import run_job
from core.jobs.local_source import LocalManifest
from core.linkage.job import LinkageJob
from core.linkage.prepare import describe, understand
from core.linkage.request import MatchRequest
from core.linkage.resolve import resolve
from core.linkage.stage_files import load_edges, load_placeholders
from core.linkage.stages import match, plan
from core.linkage.stages.table import TABLE
from core.made_records.persons.generator import generate_persons
from core.matching import reference
from core.matching.blocking.block_keys import pass_keys
from core.matching.blocking.blocks import members_of
from core.matching.clustering.entity_ids import texts_at
from core.matching.edges import Edges, merge_edges
from core.matching.records.pack_text import pack_text
from core.matching.records.placeholders import null_values
from core.matching.records.vocabulary import frequencies
from core.matching.scoring.score_pairs import score_range
from core.matching.specs.spec import SPEC_FOLDER
from core.storage.workspace import Workspace, load

WINDOW = 12
Pair = tuple[int, int]


def refined_spec(folder: Path) -> Path:
    """The persons' rules, with blocks of one surname first of all, refined by year and then by initial."""
    spec = yaml.safe_load((SPEC_FOLDER / "persons.yaml").read_text())
    surname = {"name": "surname", "keys": ["last_name"], "refine": ["year(dob)", "initial(first_name)"]}
    path = folder / "refined.yaml"
    path.write_text(yaml.safe_dump({**spec, "name": "refined", "passes": [surname, *spec["passes"]]}))
    return path


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> LinkageJob:
    """A finished job whose blocks are compared in full up to twelve records only."""
    folder = tmp_path_factory.mktemp("job")
    generate_persons(3_000, seed=4, duplicates=0.3).write_parquet(folder / "persons.parquet")
    request = MatchRequest(
        input=str(folder / "persons.parquet"),
        id_column="id",
        spec=str(refined_spec(folder)),
        range_rows=800,
        pairs_per_batch=1_500,
    )
    workspace = Workspace(str(folder / "work"))
    described = describe(understand(request), workspace)
    source = LocalManifest(workspace.root)
    made = LinkageJob(described, TABLE, workspace, source, keeps_files=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "WINDOWS", (WINDOW,))
        run_job(made, source, on_progress=lambda *_: None)
    return made


def rows_of(job: LinkageJob, batch: dict[str, int]) -> tuple[np.ndarray, np.ndarray]:
    """Block numbers and rows of one batch."""
    number, span = batch["pass"], slice(batch["lo"], batch["hi"])
    starts, sizes = (load(job.folder("plan"), f"{name}-{number:02d}")[span] for name in ("starts", "sizes"))
    return np.repeat(np.arange(len(sizes), dtype=np.uint64), sizes), members_of(job.blocks(number), starts, sizes)


def every_edge(job: LinkageJob) -> list[Edges]:
    """Edges of each pass when no pass relies on another."""
    scorer = type(job.scorer(WINDOW))(**{**vars(job.scorer(WINDOW)), "whole_passes": 0})
    found: list[list[Edges]] = [[] for _ in job.spec.passes]
    for batch in job.outputs("plan")[0]["pieces"]:
        numbers, rows = rows_of(job, batch)
        found[batch["pass"]].append(score_range(job.words, rows, numbers, scorer, batch["pass"])[0])
    return [merge_edges(each) for each in found]


def test_some_passes_lose_pairs_and_some_do_not(job: LinkageJob) -> None:
    planned = job.outputs("plan")[0]
    assert planned["window"] == WINDOW
    lost = [each["left_out"] for each in planned["passes"]]
    assert lost[0] > 0
    assert 0 in lost
    assert sum(batch["pairs"] for batch in planned["pieces"]) == sum(each["pairs"] for each in planned["passes"])


def test_batches_of_a_pass_make_the_planned_pairs_each_once(job: LinkageJob) -> None:
    planned = job.outputs("plan")[0]
    for number, figures in enumerate(planned["passes"]):
        made: list[Pair] = []
        for batch in (each for each in planned["pieces"] if each["pass"] == number):
            numbers, rows = rows_of(job, batch)
            found = reference.walked_pairs(numbers.tolist(), rows.tolist(), WINDOW)
            assert len(found) == batch["pairs"]
            made += found
        assert len(made) == len(set(made)) == figures["pairs"]


def test_pairs_left_to_earlier_passes_are_missed_by_none(job: LinkageJob) -> None:
    """The edges are those that come out when every pass scores all its pairs."""
    every = merge_edges(every_edge(job))
    expected = every.take(job.calibration.worth_a_look(every.bits, every.passes, job.spec)).to_frame()
    found = load_edges(job.folder("merge")).to_frame()
    assert found.equals(expected)
    scored = sum(each["edges"] for each in job.outputs("match"))
    assert found.height <= scored < sum(len(each) for each in every_edge(job))


def test_an_edge_that_an_earlier_cut_pass_missed_is_kept_with_the_passes_that_share_its_key(job: LinkageJob) -> None:
    keys = pass_keys(job.words, job.vocabulary, job.layout)
    merged = load_edges(job.folder("merge"))
    by_surname = every_edge(job)[0]
    met = set(zip(by_surname.left.tolist(), by_surname.right.tolist(), strict=True))
    same = keys[merged.left] == keys[merged.right]
    assert merged.passes.tolist() == ((same & (keys[merged.left] != 0)) @ (1 << np.arange(keys.shape[1]))).tolist()
    pairs = zip(merged.left.tolist(), merged.right.tolist(), strict=True)
    missed = [at for at, pair in enumerate(pairs) if merged.passes[at] & 1 and pair not in met]
    assert len(missed) > 0
    # It was found elsewhere, and says so, and that it shares the surname too.
    assert all(merged.passes[at] & ~np.uint32(1) for at in missed)


def test_batches_say_how_many_blocks_they_are_within_the_bound_of_the_queue(
    job: LinkageJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    pieces = job.outputs("plan")[0]["pieces"]
    batches = sorted({piece["batch"] for piece in pieces})
    assert batches == list(range(len(batches)))
    planned = [sum(piece["hi"] - piece["lo"] for piece in pieces if piece["batch"] == batch) for batch in batches]
    assert max(planned) > max(piece["hi"] - piece["lo"] for piece in pieces)
    assert match.sizes(job) == planned
    monkeypatch.setattr(match, "ITEMS_MAX", 5)
    assert match.sizes(job) == [min(each, 5) for each in planned]


def test_encoded_ranges_are_the_records_of_one_pack_without_their_placeholders(job: LinkageJob) -> None:
    assert len(job.ranges) > 3
    texts = pl.concat([job.read(part) for part in job.ranges])
    words, vocabulary = pack_text(texts, job.layout, job.date_orders(0))
    for field, values in load_placeholders(job.folder("reduce")).items():
        null_values(words, job.layout, field, np.array(values, dtype=np.uint64))
    assert np.array_equal(job.words, words)
    assert job.vocabulary.strings.equals(vocabulary.strings)
    assert texts_at("id", np.arange(job.rows, dtype=np.uint32), job.ids).equals(texts["id"])
    for name, counts in frequencies(words, job.layout, len(vocabulary)).items():
        assert np.array_equal(job.frequencies[name], counts)


def test_ranges_never_cross_from_one_source_into_the_next(job: LinkageJob) -> None:
    two = LinkageJob(
        job.description.model_copy(update={"sources": job.description.sources * 2, "rows": 2 * job.rows}),
        TABLE,
        job.workspace,
        job.batches,
    )
    assert [(part.source, part.lo, part.hi) for part in two.ranges if part.hi == 3_000] == [
        (0, 2_400, 3_000),
        (1, 2_400, 3_000),
    ]
    assert [part.first_row for part in two.ranges] == [0, 800, 1_600, 2_400, 3_000, 3_800, 4_600, 5_400]


@pytest.mark.parametrize(("rows", "step"), [(10, 25_000), (400_000, 50_000), (70_000_000, 500_000)])
def test_ranges_follow_the_size_of_the_input_where_none_is_asked_for(job: LinkageJob, rows: int, step: int) -> None:
    request = job.description.request.model_copy(update={"range_rows": None})
    source = {**job.description.sources[0], "rows": rows}
    described = job.description.model_copy(update={"request": request, "sources": (source,), "rows": rows})
    ranges = LinkageJob(described, TABLE, job.workspace, job.batches).ranges
    assert ranges[0].rows == min(step, rows)
    assert sum(part.rows for part in ranges) == rows


def test_a_notice_names_the_passes_that_compared_less_than_half_of_their_pairs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "WINDOWS", (WINDOW,))
    persons, spec = tmp_path / "persons.parquet", yaml.safe_load((SPEC_FOLDER / "persons.yaml").read_text())
    generate_persons(2_000, seed=4, duplicates=0.3).write_parquet(persons)
    coarse = {**spec, "name": "coarse", "passes": [{"name": "region", "keys": ["state"]}, *spec["passes"]]}
    (tmp_path / "coarse.yaml").write_text(yaml.safe_dump(coarse))
    request = MatchRequest(input=str(persons), id_column="id", spec=str(tmp_path / "coarse.yaml"))
    notices = resolve(request, tmp_path / "work")["notices"]
    (notice,) = [each for each in notices if each.startswith("pass ")]
    assert re.fullmatch(
        r"pass region compared [\d,]+ of [\d,]+ pairs, for its largest block has [\d,]+ records; "
        r"give it a further key or a refinement in the spec",
        notice,
    )
