"""Whole names in one column are matched as if they stood in two: alone, linked with two, behind a finished run."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from core.linkage.description import hints_of
from core.linkage.history.base_run import reopen
from core.linkage.request import MatchRequest
from core.linkage.resolve import resolve
from core.linkage.run_record import read_record
from core.made_records.persons.generator import generate_persons

WHOLE = pl.concat_str("first_name", "last_name", separator=" ", ignore_nulls=True).alias("Name")


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Records of whom first and last name stand in two columns, none of one word alone."""
    persons = generate_persons(300, seed=5, duplicates=0.4).drop("entity_id", "email")
    plain = pl.all_horizontal(pl.col("first_name", "last_name").str.contains(r"^[A-Z]\p{Ll}{2,}$"))
    path = tmp_path_factory.mktemp("two") / "two.csv"
    persons.filter(plain).write_csv(path)
    return path


def whole(two: Path, folder: Path, rows: slice = slice(None)) -> Path:
    """The same, the names in one column."""
    frame = pl.read_csv(two, infer_schema=False)[rows]
    frame.select("id", WHOLE, pl.exclude("id", "first_name", "last_name")).write_csv(folder / "whole.csv")
    return folder / "whole.csv"


def matched(folder: Path, path: Path, out: str = "out.parquet", **said: object) -> pl.DataFrame:
    request = MatchRequest(input=str(path), id_column="id", out=str(folder / out), **said)
    resolve(request, folder / f"work-{out}")
    return pl.read_parquet(folder / out)


def test_the_answer_is_that_of_two_columns(two: Path, tmp_path: Path) -> None:
    apart = matched(tmp_path, two)
    entities = str(tmp_path / "golden.parquet")
    one = matched(tmp_path, whole(two, tmp_path), "one.parquet", entities=entities, with_columns=("Name",))

    assert one["entity_id"].to_list() == apart["entity_id"].to_list()
    assert one["entity_id"].n_unique() < one.height
    golden = pl.read_parquet(entities)
    assert (golden["first_name"].str.contains(" ") | golden["last_name"].str.contains(" ")).sum() == 0
    assert one["Name"].str.contains(" ").all()
    (source,) = reopen(
        read_record(tmp_path / "one.parquet").job, hints_of(read_record(tmp_path / "one.parquet").job.spec), tmp_path
    )
    assert source.read(0, 9)["last_name"].to_list() == pl.read_csv(two)["last_name"].head(9).to_list()


@pytest.mark.parametrize(("first_whole", "then_whole"), [(True, False), (False, True)])
def test_increments_may_have_either_form(first_whole: bool, then_whole: bool, two: Path, tmp_path: Path) -> None:
    frame = pl.read_csv(two, infer_schema=False)
    cut, made = frame.height * 2 // 3, []
    for name, is_whole, rows in (("a", first_whole, slice(0, cut)), ("b", then_whole, slice(cut, None))):
        folder = tmp_path / name
        folder.mkdir()
        frame[rows].write_csv(folder / "two.csv")
        made.append(whole(two, folder, rows) if is_whole else folder / "two.csv")
    matched(tmp_path, made[0], "base.parquet")
    both = matched(tmp_path, made[1], "both.parquet", against=str(tmp_path / "base.parquet"))
    frame[:cut].write_csv(tmp_path / "two.csv")
    frame[cut:].write_csv(tmp_path / "rest.csv")
    matched(tmp_path, tmp_path / "two.csv", "plain.parquet")
    plain = matched(tmp_path, tmp_path / "rest.csv", "plain2.parquet", against=str(tmp_path / "plain.parquet"))

    assert both["entity_id"].to_list() == plain["entity_id"].to_list()


def test_one_file_may_have_the_name_whole_and_the_other_not(two: Path, tmp_path: Path) -> None:
    apart = matched(tmp_path, two, link=(str(two),))
    linked = matched(tmp_path, two, "linked.parquet", link=(str(whole(two, tmp_path)),))

    assert linked["entity_id"].to_list() == apart["entity_id"].to_list()
