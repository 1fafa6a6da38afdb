"""Explanations of pairs that share a key, but in whose block a cut or a window kept them apart."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from core.errors import InputError
from core.jobs.local import run_job
from core.jobs.local_source import LocalManifest
from core.linkage.job import LinkageJob
from core.linkage.prepare import describe, understand
from core.linkage.request import MatchRequest
from core.linkage.resolve import resolve
from core.linkage.results.explanation import Run, explain, run_of_job, run_of_output
from core.linkage.stages import plan
from core.linkage.stages.needs import STAGES
from core.linkage.stages.table import TABLE
from core.made_records.persons.generator import generate_persons
from core.matching import reference
from core.matching.blocking.blocks import windowed_order
from core.matching.clustering.entity_ids import texts_at
from core.storage.workspace import Workspace
from tests.integration.linkage.test_stages import WINDOW, refined_spec, rows_of

Pair = tuple[int, int]
N_EACH = 12
SURNAME, TOWN = 0, 1


def made_by(job: LinkageJob, number: int) -> set[Pair]:
    """The pairs that a pass made in the run."""
    made: set[Pair] = set()
    for batch in (each for each in job.outputs("plan")[0]["pieces"] if each["pass"] == number):
        keys, rows = rows_of(job, batch)
        rows = windowed_order(job.words, rows, keys, WINDOW)
        made.update(reference.walked_pairs(keys.tolist(), rows.tolist(), WINDOW))
    return made


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> LinkageJob:
    """A finished job that cuts the blocks of a surname, and windows those of a town."""
    folder = tmp_path_factory.mktemp("job")
    generate_persons(1_500, seed=4, duplicates=0.3).write_parquet(folder / "persons.parquet")
    spec = yaml.safe_load(refined_spec(folder).read_text())
    spec["passes"].insert(TOWN, {"name": "town", "keys": ["city"]})
    (folder / "spec.yaml").write_text(yaml.safe_dump(spec))
    request = MatchRequest(
        input=str(folder / "persons.parquet"), id_column="id", spec=str(folder / "spec.yaml"), range_rows=400
    )
    workspace = Workspace(str(folder / "work"))
    described = describe(understand(request), workspace)
    source = LocalManifest(workspace.root)
    made = LinkageJob(described, TABLE, workspace, source, keeps_files=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "WINDOWS", (WINDOW,))
        run_job(made, source, on_progress=lambda *_: None)
    return made


@pytest.fixture(scope="module")
def whole_run(job: LinkageJob) -> Run:
    """What an explanation has of the job."""
    outputs = {stage: job.outputs(stage) for stage in STAGES[:7]}
    return run_of_job(job.workspace, job.description, outputs)


def sharing(job: LinkageJob, field: str) -> list[Pair]:
    """Pairs of records with one value of a coded field."""
    codes = job.words[:, job.layout.offset[field]]
    rows = pl.DataFrame({"code": codes, "row": np.arange(job.rows)}).filter(pl.col("code") > 0)
    groups = rows.group_by("code", maintain_order=True).agg("row").filter(pl.col("row").list.len() > 1)["row"]
    return [pair for group in groups.to_list() for pair in combinations(group, 2)]


def ids_of(job: LinkageJob, pair: Pair) -> list[str]:
    return texts_at("id", np.array(pair, dtype=np.uint32), job.ids).to_list()


@pytest.mark.parametrize(("number", "name", "field"), [(SURNAME, "surname", "last_name"), (TOWN, "town", "city")])
def test_passes_that_left_a_pair_out_are_told_from_those_that_made_it(
    job: LinkageJob, whole_run: Run, number: int, name: str, field: str
) -> None:
    made = made_by(job, number)
    pairs = sharing(job, field)
    np.random.default_rng(3).shuffle(pairs)
    there = [tuple(pair) for pair in pairs if tuple(pair) in made][:N_EACH]
    absent = [tuple(pair) for pair in pairs if tuple(pair) not in made][:N_EACH]
    assert len(there) == len(absent) == N_EACH
    for pair in there:
        found = explain(whole_run, *ids_of(job, pair))
        assert name in found.compared_by
        assert name not in [each.pass_name for each in found.left_out_by]
    for pair in absent:
        found = explain(whole_run, *ids_of(job, pair))
        assert name not in found.compared_by
        (out,) = (each for each in found.left_out_by if each.pass_name == name)
        assert (out.cut_by is None) == (name == "town")
        assert ("windowed" in out.why()) == (name == "town")


def test_an_explanation_gives_the_block_its_cut_and_its_window_in_words(job: LinkageJob, whole_run: Run) -> None:
    apart = min(set(sharing(job, "last_name")) - made_by(job, SURNAME))
    found = explain(whole_run, *ids_of(job, apart))
    out = found.left_out_by[0]
    names = job.words[:, job.layout.offset["last_name"]]
    size = int((names == names[apart[0]]).sum())
    assert out.block_records == size > WINDOW
    assert f"left out by surname: its block of {size} records, more than 12, was" in "\n".join(found.to_lines())
    assert found.to_dict()["left_out_by"][0]["window"] == WINDOW


def test_an_increment_is_explained_by_the_blocks_it_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A block may be small when the first records come, and cut when more do."""
    monkeypatch.setattr(plan, "WINDOWS", (WINDOW,))
    persons = generate_persons(3_000, seed=4, duplicates=0.3)
    persons[:1_000].write_csv(tmp_path / "old.csv")
    persons[1_000:].write_csv(tmp_path / "new.csv")
    base, out = tmp_path / "base.parquet", tmp_path / "out.parquet"
    spec = str(refined_spec(tmp_path))
    resolve(MatchRequest(input=str(tmp_path / "old.csv"), id_column="id", spec=spec, out=str(base)), tmp_path / "w")
    request = MatchRequest(input=str(tmp_path / "new.csv"), id_column="id", against=str(base), out=str(out))
    resolve(request, tmp_path / "w")
    counts = {name: len(frame) for (name,), frame in persons[:1_000].group_by("last_name") if name is not None}
    now = {name: len(frame) for (name,), frame in persons.group_by("last_name") if name is not None}
    name = min(name for name, count in counts.items() if 2 <= count <= WINDOW and now[name] > WINDOW)
    same = persons.with_row_index("row").filter(pl.col("last_name") == name)
    first = same.filter(pl.col("row") < 1_000)["id"].to_list()
    assert "surname" in explain(run_of_output(out), first[0], first[1]).compared_by
    later = same.filter(pl.col("row") >= 1_000)["id"].to_list()
    sizes = {each.block_records for new in later for each in explain(run_of_output(out), first[0], new).left_out_by}
    assert sizes <= {now[name]}
    assert sizes


def test_two_records_of_one_file_are_never_compared_in_a_link(tmp_path: Path) -> None:
    persons = generate_persons(600, seed=4, duplicates=0.3)
    persons[:300].write_csv(tmp_path / "a.csv")
    persons[300:].write_csv(tmp_path / "b.csv")
    out = tmp_path / "out.parquet"
    request = MatchRequest(
        input=str(tmp_path / "a.csv"), link=(str(tmp_path / "b.csv"),), id_column="id", out=str(out)
    )  # fmt: skip
    resolve(request, tmp_path / "w")
    true = persons[:300].filter(pl.col("entity_id").is_duplicated()).sort("entity_id")
    found = explain(run_of_output(out), true["id"][0], true["id"][1])
    assert found.compared_by == ()
    assert "of different files only" in "\n".join(found.to_lines())


def test_a_record_is_not_explained_with_itself(job: LinkageJob, whole_run: Run) -> None:
    with pytest.raises(InputError, match="the same record"):
        explain(whole_run, job.read(job.ranges[0])["id"][0], job.read(job.ranges[0])["id"][0])


def test_a_parquet_file_that_has_changed_is_not_explained(tmp_path: Path) -> None:
    persons, out = tmp_path / "a.parquet", tmp_path / "out.parquet"
    generate_persons(300, seed=4, duplicates=0.3).write_parquet(persons)
    resolve(MatchRequest(input=str(persons), id_column="id", out=str(out)), tmp_path / "w")
    generate_persons(300, seed=5, duplicates=0.3).write_parquet(persons)
    with pytest.raises(InputError, match="has changed since it was matched"):
        explain(run_of_output(out), "P0000001", "P0000002")
