"""What goes with the runs that led to an output when records leave."""

from __future__ import annotations

import os
from pathlib import Path

from filelock import FileLock

from core.linkage.description import JobDescription
from core.linkage.history.earlier_runs import EarlierRuns, earlier_runs, forget_here, still_there
from core.linkage.request import MatchRequest
from core.matching.specs.spec import load_spec


def job(key: str, path: Path, **said: str) -> JobDescription:
    request = MatchRequest(input=str(path), id_column="id", **said)
    sources = ({"path": str(path), "digest": f"digest of {path.name}"},)
    return JobDescription(key=key, request=request, spec=load_spec("persons"), sources=sources, notices=(), rows=1)


def test_workspaces_that_read_the_same_input_go_but_not_those_at_work(tmp_path: Path) -> None:
    ours, work = tmp_path / "exports", tmp_path / "work"
    ours.mkdir()
    names = ("base", "kept", "other", "mine", "held", f"twin-{os.getpid()}", "mine-1", "begun")
    for name in names:
        (work / name).mkdir(parents=True)
    (work / "odd").touch()
    copy, apart = ours / "stdin-1.csv", tmp_path / "people.csv"
    copy.touch()
    apart.touch()
    for name, path in (("kept", copy), ("held", copy), (names[5], copy), ("mine", copy), ("other", apart)):
        (work / name / "job.json").write_text(job(name, path).model_dump_json())
    earlier = EarlierRuns(((tmp_path / "out.parquet", job("base", copy)),))
    with FileLock(work / "held.owner"):
        forget_here(work, earlier, ours, job("mine", apart))
    assert {path.name for path in work.iterdir() if path.is_dir()} == {"other", "mine", "held", names[5], "mine-1"}
    assert not copy.exists()
    assert apart.exists()
    forget_here(tmp_path / "nowhere", earlier, None, job("mine", apart))


def test_a_private_copy_that_the_job_reads_itself_stays(tmp_path: Path) -> None:
    copy = tmp_path / "table.parquet"
    copy.touch()
    earlier = EarlierRuns(((tmp_path / "out.parquet", job("base", copy)),))
    forget_here(tmp_path / "work", earlier, tmp_path, job("mine", copy))
    assert copy.exists()


def test_files_that_are_the_users_are_named_and_those_written_anew_are_not(tmp_path: Path) -> None:
    for name in ("people.csv", "golden.csv", "one.parquet", "bad.csv", "two.parquet"):
        (tmp_path / name).touch()
    one = job("one", tmp_path / "people.csv", entities=str(tmp_path / "golden.csv"), out=str(tmp_path / "one.parquet"))
    two = job("two", tmp_path / "gone.csv", quarantine=str(tmp_path / "bad.csv"))
    earlier = EarlierRuns(((tmp_path / "two.parquet", two), (tmp_path / "one.parquet", one)))
    request = MatchRequest(input="x.csv", id_column="id", out=str(tmp_path / "one.parquet"))
    assert still_there(earlier, request, None) == [
        "these files hold the former values still, and are yours to delete: people.csv, bad.csv, golden.csv",
        "outputs of earlier runs, and what stands beside them, hold ids and frequent values: two.parquet",
    ]
    same = request.model_copy(update={"entities": str(tmp_path / "golden.csv")})
    assert "golden.csv" not in "".join(still_there(earlier, same, None))
    assert still_there(earlier, request, tmp_path) == []
    assert earlier_runs(tmp_path / "one.parquet").runs == earlier_runs(None).runs == ()
