"""Columns of the input beside the answer: in the order of the rows, under names that differ from the answer's own."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from core.errors import SchemaError
from core.intake.columns import EVERY, FieldHint
from core.intake.opening import Opening
from core.intake.source import Source, open_source
from core.linkage.kept_columns import require_kept, with_kept
from core.linkage.request import MatchRequest, job_key
from core.linkage.run_record import sink_table
from core.matching.specs.spec import load_spec

FIRST = "source,no,name,entity_id,note\nx,1,Ann,e1, =1\ny,2,,e2,\n"


def opened(path: Path, kept: tuple[str, ...], bad_rows: str = "raise") -> Source:
    fields = [FieldHint("name", "text")]
    folder = path.parent / f"{path.name}-{len(kept)}"
    found = open_source(
        Opening(path, id_column="no", fields=fields, staging_dir=folder, kept=kept, bad_rows=bad_rows)  # type: ignore[arg-type]
    )
    return Source.from_dict(found.to_dict())


def answer(*ids: str) -> pl.LazyFrame:
    return pl.LazyFrame({"id": ids, "entity_id": ["E"] * len(ids)})


@pytest.fixture(scope="module")
def csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("kept") / "first.csv"
    path.write_text(FIRST)
    return path


def test_all_columns_stand_in_their_order_and_clashing_names_are_told_apart(csv: Path) -> None:
    found = with_kept(answer("1", "2"), [opened(csv, (EVERY,))]).collect()
    assert found.columns == ["id", "entity_id", "source", "name", "entity_id_input", "note"]
    assert found.rows() == [("1", "E", "x", "Ann", "e1", "=1"), ("2", "E", "y", None, "e2", None)]


def test_named_columns_are_those_of_a_parquet_file_in_place_too(csv: Path) -> None:
    path = csv.with_suffix(".parquet")
    pl.DataFrame({"no": [1, 2], "n": [1.0, None], " name ": ["Ann", "Bo "]}).write_parquet(path)
    source = opened(path, ("name", "n"))
    assert not source.staged
    assert with_kept(answer("1", "2"), [source]).collect().select("n", "name").rows() == [("1", "Ann"), (None, "Bo")]


def test_files_that_are_linked_give_the_union_of_their_columns(csv: Path) -> None:
    other, bare = csv.with_name("other.csv"), csv.with_name("bare.csv")
    other.write_text("no,name,town,note\n7,Cy,Ely,n\n")
    bare.write_text("no,name\n9,Di\n")
    sources = [opened(csv, ("note", "town")), opened(other, ("note", "town")), opened(bare, ("note", "town"))]
    found = with_kept(answer("1", "2", "7", "9"), sources).collect()
    assert found.select("note", "town").rows() == [("=1", None), (None, None), ("n", "Ely"), (None, None)]
    require_kept(("note", "town", "no"), sources)
    with pytest.raises(SchemaError, match="`with_columns`: there is no column street in .*first.csv or .*other.csv"):
        require_kept(("note", "street"), sources)


def test_rows_set_aside_are_missing_from_the_kept_columns_too(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("no,name,note\n1,Ann,a\n2,Bo\n3,Cy,c\n")
    found = with_kept(answer("1", "3"), [opened(path, (EVERY,), "quarantine")]).collect()
    assert found["note"].to_list() == ["a", "c"]


def test_the_answer_is_streamed_with_its_columns_into_each_format(csv: Path) -> None:
    frame = with_kept(answer("1", "2"), [opened(csv, ("note",))])
    for ending in ("csv", "parquet", "xlsx"):
        out = csv.with_name(f"out.{ending}")
        sink_table(frame, out, out)
    assert csv.with_name("out.csv").read_text() == "id,entity_id,note\n1,E,=1\n2,E,\n"


def test_without_columns_nothing_changes_and_the_job_keeps_its_name() -> None:
    members = answer("1")
    assert with_kept(members, []) is members
    spec, plain = load_spec("persons"), MatchRequest(input="a.csv", id_column="id")
    kept = plain.model_copy(update={"with_columns": ("note",)})
    assert job_key(plain, ["d"], spec) == job_key(plain.model_copy(update={"csv_for_excel": True}), ["d"], spec)
    assert job_key(plain, ["d"], spec) != job_key(kept, ["d"], spec)
