"""A whole job in this process: the same answer however it is cut, and after an interruption."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest
from filelock import FileLock

from core.errors import ConfigError, SpecError
from core.jobs.local import OnProgress, own_workspace
from core.jobs.ports import Stage
from core.linkage.prepare import understand
from core.linkage.request import MatchRequest
from core.linkage.resolve import resolve
from core.linkage.stages import survive
from core.made_records.persons.generator import generate_persons
from core.storage.workspace import Workspace


@pytest.fixture(scope="module")
def persons(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("persons") / "persons.parquet"
    generate_persons(3_000, seed=3, duplicates=0.3).write_parquet(path)
    return path


@dataclass(frozen=True)
class Answer:
    """All that a run tells."""

    members: pl.DataFrame
    pairs: pl.DataFrame
    golden: pl.DataFrame
    model: dict[str, Any]
    summary: dict[str, Any]

    def assert_same(self, other: Answer) -> None:
        """Equal to the last bit, whatever time it took and however it was cut."""
        assert other.members.equals(self.members)
        assert other.pairs.equals(self.pairs)
        assert other.golden.equals(self.golden)
        assert other.model == self.model
        for name in ("rows", "candidate_pairs", "matches", "entities", "clusters", "recall"):
            assert other.summary[name] == self.summary[name], name


def request_of(persons: Path, folder: Path, **extra: Any) -> MatchRequest:
    """A request for every output there is."""
    outputs = {"out": str(folder / "out.parquet"), "entities": str(folder / "golden.parquet")}
    return MatchRequest(input=str(persons), id_column="id", **(outputs | extra))


def answer(folder: Path, summary: dict[str, Any]) -> Answer:
    """Read what was written into a folder."""
    members, pairs, golden = (pl.read_parquet(folder / f"{name}.parquet") for name in ("out", "out.pairs", "golden"))
    return Answer(members, pairs, golden, orjson.loads((folder / "out.run.json").read_bytes())["model"], summary)


@pytest.fixture(scope="module")
def whole(persons: Path, tmp_path_factory: pytest.TempPathFactory) -> Answer:
    """The answer of one undisturbed run in a single range."""
    folder = tmp_path_factory.mktemp("whole")
    return answer(folder, resolve(request_of(persons, folder), folder / "work"))


@pytest.fixture
def small_survivors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are settled in eight batches, as those of a large file are."""
    monkeypatch.setattr(survive, "ROWS_MIN", 1)


class Stop(Exception):
    """The process ends here."""


def stop_at(stage: Stage, done: int) -> OnProgress:
    """Die once so many batches of a stage are acknowledged."""

    def stop(now: Stage, n_done: int, total: int) -> None:
        if (now, n_done) == (stage, done):
            raise Stop

    return stop


@pytest.mark.usefixtures("small_survivors")
@pytest.mark.parametrize(
    ("stage", "done"),
    [("ingest", 2), ("reduce", 1), ("encode", 2), ("block", 3), ("plan", 1), ("match", 2), ("survive", 2)],
)
def test_interrupted_run_resumes_and_answers_alike(
    whole: Answer, persons: Path, tmp_path: Path, stage: Stage, done: int
) -> None:
    request = request_of(persons, tmp_path, range_rows=700, pairs_per_batch=2_000)
    with pytest.raises(Stop):
        resolve(request, tmp_path / "work", on_progress=stop_at(stage, done))
    workspace = Workspace(str(tmp_path / "work" / understand(request).key))
    before = {path: path.stat().st_mtime_ns for path in (workspace.root / "manifest").rglob("0*.json")}
    assert before
    kept: dict[Path, int] = {}

    def look(now: Stage, done: int, total: int) -> None:
        if now == "publish":
            kept.update({path: path.stat().st_mtime_ns for path in before})

    whole.assert_same(answer(tmp_path, resolve(request, tmp_path / "work", on_progress=look)))
    assert kept == before


@pytest.mark.usefixtures("small_survivors")
@pytest.mark.parametrize(
    ("rows", "pairs", "threads"), [(100, 1_000, 2), (999, 5_000, 1), (None, 3_000, 4), (3_000, 2_000_000, 2)]
)
def test_answer_does_not_depend_on_ranges_batches_or_threads(
    whole: Answer, persons: Path, tmp_path: Path, rows: int | None, pairs: int, threads: int
) -> None:
    request = request_of(persons, tmp_path, range_rows=rows, pairs_per_batch=pairs)
    whole.assert_same(answer(tmp_path, resolve(request, tmp_path / "work", threads=threads)))


@pytest.mark.parametrize("stage", ["ingest", "encode"])
def test_run_resumes_in_the_ranges_it_was_begun_with(
    whole: Answer, persons: Path, tmp_path: Path, stage: Stage
) -> None:
    with pytest.raises(Stop):
        begun = request_of(persons, tmp_path, range_rows=700)
        resolve(begun, tmp_path / "work", on_progress=stop_at(stage, 2))
    again = request_of(persons, tmp_path, range_rows=1_100)
    whole.assert_same(answer(tmp_path, resolve(again, tmp_path / "work", threads=2)))


def test_golden_records_may_be_asked_for_when_all_else_is_done(whole: Answer, persons: Path, tmp_path: Path) -> None:
    resolve(request_of(persons, tmp_path, entities=None), tmp_path / "work", keep_workspace=True)
    assert not (tmp_path / "golden.parquet").exists()
    whole.assert_same(answer(tmp_path, resolve(request_of(persons, tmp_path), tmp_path / "work")))


def test_pairs_stand_in_the_order_of_their_records_and_golden_records_in_that_of_their_first(
    whole: Answer, persons: Path
) -> None:
    place = {record: row for row, record in enumerate(pl.read_parquet(persons)["id"].to_list())}
    ends = [(place[a], place[b]) for a, b in whole.pairs.select("id_a", "id_b").rows()]
    assert ends == sorted(ends)
    assert all(a < b for a, b in ends)
    assert len(ends) > 500
    first = whole.members["entity_id"].unique(maintain_order=True).to_list()
    assert whole.golden["entity_id"].to_list() == first
    assert whole.golden["n_members"].sum() == len(place)


def test_row_order_changes_neither_entities_nor_their_names(whole: Answer, persons: Path, tmp_path: Path) -> None:
    shuffled = tmp_path / "shuffled.parquet"
    pl.read_parquet(persons).sample(fraction=1.0, shuffle=True, seed=1).write_parquet(shuffled)
    out = tmp_path / "out.parquet"
    resolve(MatchRequest(input=str(shuffled), id_column="id", out=str(out)), tmp_path / "work")
    names = whole.members.rename({"entity_id": "before"}).join(pl.read_parquet(out), on="id", validate="1:1")
    same = names.filter(pl.col("before") == pl.col("entity_id")).height
    # Training draws its random pairs by row, so weights differ a little, and a pair on the threshold may tip over.
    assert same >= 0.995 * whole.members.height


def test_workspace_is_gone_after_success_and_kept_when_asked(persons: Path, tmp_path: Path) -> None:
    request = MatchRequest(input=str(persons), id_column="id")
    resolve(request, tmp_path / "work")
    assert not (tmp_path / "work" / understand(request).key).exists()
    resolve(request, tmp_path / "work", keep_workspace=True)
    assert (tmp_path / "work" / understand(request).key / "job.json").exists()


def test_two_records_are_enough_and_one_is_no_error(tmp_path: Path) -> None:
    columns = ["id", "first_name", "last_name", "dob", "ssn", "zip", "street"]
    row = ["1", "ann", "oak", "1990-04-05", "219-09-9999", "10001", "1 elm street"]
    for count in (1, 2):
        frame = pl.DataFrame([[str(n), *row[1:]] for n in range(count)], schema=columns, orient="row")
        frame.write_csv(tmp_path / "few.csv")
        summary = resolve(MatchRequest(input=str(tmp_path / "few.csv"), id_column="id"), tmp_path / "work")
        assert summary["rows"] == count


def test_input_that_fits_no_pass_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("id,first_name\n1,ann\n2,bob\n")
    with pytest.raises(SpecError, match="at least 3 must"):
        request = MatchRequest(input=str(tmp_path / "in.csv"), id_column="id", without_names=True)
        resolve(request, tmp_path / "work")
    assert list((tmp_path / "work").rglob("*")) == []


def test_lock_files_go_with_the_work(tmp_path: Path) -> None:
    with own_workspace(tmp_path, "job") as mine:
        reader = FileLock(mine.root.with_suffix(".lock"))
        reader.acquire()
        with own_workspace(tmp_path, "job") as private:
            assert private.root != mine.root
        assert (tmp_path / "job.owner").exists()
    # The description is being read by somebody: their lock stays.
    assert sorted(path.name for path in tmp_path.iterdir()) == ["job.lock"]
    reader.release()
    with own_workspace(tmp_path, "job"):
        assert (tmp_path / "job.owner").exists()
    assert list(tmp_path.iterdir()) == []


def test_who_waited_for_a_lock_file_that_went_holds_a_new_one(tmp_path: Path) -> None:
    waiter, held = FileLock(tmp_path / "job.owner", thread_local=False), threading.Event()
    thread = threading.Thread(target=lambda: (waiter.acquire(timeout=60), held.set()))
    with own_workspace(tmp_path, "job"):
        thread.start()
        assert not held.is_set()
    thread.join()
    assert held.is_set()
    with own_workspace(tmp_path, "job") as private:
        assert private.root != tmp_path / "job"
    waiter.release()


def test_what_is_used_up_is_removed_on_the_way(persons: Path, tmp_path: Path) -> None:
    request, there = request_of(persons, tmp_path, entities=None), {}

    def look(now: Stage, done: int, total: int) -> None:
        there[now] = {path.name for path in workspace.root.iterdir()}

    workspace = Workspace(str(tmp_path / "work" / understand(request).key))
    resolve(request, tmp_path / "work", on_progress=look)
    assert "ingest" in there["encode"]
    assert "ingest" not in there["block"]
    assert {"block", "match"} <= there["merge"]
    assert not {"block", "plan", "match"} & there["cluster"]


def test_a_value_that_all_records_share_is_missing_and_told(persons: Path, tmp_path: Path) -> None:
    pl.read_parquet(persons).head(400).with_columns(ssn=pl.lit("123121234")).write_parquet(tmp_path / "one.parquet")
    summary = resolve(MatchRequest(input=str(tmp_path / "one.parquet"), id_column="id"), tmp_path / "work")
    assert any(notice.startswith("ssn: 400 records have a value that too many share") for notice in summary["notices"])


@pytest.mark.parametrize("extra", [{"against": "out.parquet"}, {"decisions": "said.csv"}])
def test_a_link_with_an_increment_or_decisions_is_refused_in_one_sentence(persons: Path, extra: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="for a match within one file, not across files with `link`"):
        understand(MatchRequest(input=str(persons), id_column="id", link=(str(persons),), **extra))


def test_entities_are_not_written_unless_the_pairs_beside_them_are(persons: Path, tmp_path: Path) -> None:
    (tmp_path / "out.pairs.parquet").mkdir()
    with pytest.raises(OSError, match="pairs"):
        resolve(request_of(persons, tmp_path), tmp_path / "work")
    assert not (tmp_path / "out.parquet").exists()
    assert not list(tmp_path.glob(".*.part"))
