"""Records that change or leave a finished match: entities split, the log says so, and no file holds what they were."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from core.errors import ConfigError, InputError
from core.linkage.request import MatchRequest
from core.linkage.resolve import outline, resolve
from core.linkage.results.review_list import review_list
from core.made_records.persons.generator import generate_persons

MARK = "Zyxwvutmark"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished match of persons.csv: A, B and C are one person, D is alone; all have values that no one else has."""
    folder = tmp_path_factory.mktemp("erasure")
    persons = generate_persons(300, seed=4, duplicates=0.3).drop("entity_id")
    one = persons.row(0, named=True) | {"street": f"17 {MARK} Road", "dob": "1944-05-06", "ssn": "317-33-4411"}
    one |= {"phone": "217-555-0177"}
    rows = [
        one | {"id": "A", "first_name": "Quentin", "last_name": MARK, "email": f"{MARK}@example.org"},
        one | {"id": "B", "first_name": "Quentin", "last_name": MARK, "email": f"{MARK}@example.org"},
        one | {"id": "C", "first_name": "Quentin", "last_name": MARK, "email": f"{MARK}@example.org"},
        persons.row(1, named=True) | {"id": "D", "last_name": f"{MARK}lone", "ssn": "219-09-9981", "email": "d@e.org"},
    ]
    rows[3] |= {"phone": "217-555-0143", "street": f"18 {MARK} Road", "dob": "1931-07-04", "first_name": "Ottokar"}
    pl.concat([persons, pl.DataFrame(rows, schema=persons.schema)]).write_csv(folder / "persons.csv")
    run(folder, "persons.csv", "base.parquet", entities=str(folder / "base_golden.parquet"), keep_workspace=True)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """The same in a folder of its own, whose files may go."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    for path in (tmp_path / "base.run.json", *tmp_path.glob("work/*/job.json")):
        path.write_text(path.read_text().replace(str(made), str(tmp_path)))
    return tmp_path


def run(folder: Path, name: str, out: str, *, keep_workspace: bool = False, **said: Any) -> dict[str, Any]:
    request = MatchRequest(input=str(folder / name), id_column="id", out=str(folder / out), **said)
    return resolve(request, folder / "work", keep_workspace=keep_workspace)


def removal(folder: Path, out: str, ids: str, *, name: str | None = None, **said: Any) -> dict[str, Any]:
    (folder / "gone.csv").write_text(ids)
    said = {"against": str(folder / "base.parquet"), "removed": str(folder / "gone.csv")} | said
    return run(folder, name or "gone.csv", out, **said)


def holding(folder: Path, text: str) -> set[str]:
    """Files that hold a text: as they are, and what columns of Parquet read."""
    found = set()
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            if path.suffix == ".parquet":
                content += pl.read_parquet(path).write_csv(quote_style="never", separator="\t").encode()
            if text.lower().encode() in content.lower():
                found.add(path.name)
    return found


def entity_of(out: Path) -> dict[str, str]:
    return dict(pl.read_parquet(out).select("id", "entity_id").iter_rows())


def test_what_is_removed_is_in_no_file_and_what_is_left_goes_on(folder: Path) -> None:
    before = entity_of(folder / "base.parquet")
    assert before["A"] == before["B"] == before["C"]
    assert {"persons.csv", "base_golden.parquet", "strings.parquet"} <= holding(folder, MARK)
    golden = str(folder / "golden.parquet")
    (folder / "gone.csv").write_text("id\nA\nB\n")
    said = {"against": str(folder / "base.parquet"), "removed": str(folder / "gone.csv")}
    planned = outline(MatchRequest(input=said["removed"], id_column="id", **said), folder / "work")
    assert planned.rows == 302
    assert "gone.csv: 2 records are removed" in planned.notices
    assert "strings.parquet" in holding(folder, MARK)

    summary = removal(folder, "next.parquet", "id\nA\nB\nC\nD\nD\nnobody\n", entities=golden, with_columns=("street",))

    assert summary["rows"] == 300
    assert summary["changes"] == {"gone": 2}
    notices = "\n".join(summary["notices"])
    assert "gone.csv: 4 records are removed" in notices
    assert "gone.csv: 1 ids stand there again; a record is removed once" in notices
    assert "gone.csv: 1 ids are of no record of base.parquet, never there or removed before" in notices
    assert "yours to delete: persons.csv, base_golden.parquet" in notices
    assert "outputs of earlier runs, and what stands beside them, hold ids and frequent values: base.parquet" in notices
    assert MARK not in notices
    assert "nobody" not in notices
    assert "drift" not in notices, "nothing came that the model could not fit"
    after = entity_of(folder / "next.parquet")
    assert after == {record: entity for record, entity in before.items() if record not in "ABCD"}
    # What the user gave, and what was written of it before, is the user's; the kept workspace was ours.
    assert holding(folder, MARK) == {"persons.csv", "base_golden.parquet", "base.run.json"}
    for path in (*folder.glob("base*"), folder / "persons.csv"):
        path.unlink()

    assert review_list(folder / "next.parquet").frame.width > 10
    (folder / "gone.csv").write_text("A\n")
    next_ = str(folder / "next.parquet")
    again = run(folder, "gone.csv", "last.parquet", against=next_, removed=str(folder / "gone.csv"))
    assert again["notices"][0] == "gone.csv: 0 records are removed"
    assert again["notices"][1].startswith("gone.csv: 1 ids are of no record of next.parquet")
    assert entity_of(folder / "last.parquet") == after
    assert holding(folder, MARK) == set()


def test_an_entity_splits_when_the_record_that_held_it_together_changes(folder: Path) -> None:
    before = entity_of(folder / "base.parquet")
    frame = pl.read_csv(folder / "persons.csv", infer_schema=False)
    other = frame.filter(pl.col("id") == "D").row(0, named=True)
    changed = pl.DataFrame([other | {"id": "C"}, other | {"id": "E", "ssn": None}], schema=frame.schema)
    changed.write_csv(folder / "changed.csv")

    with pytest.raises(InputError, match="1 record ids are in .* already, 'C' for one; .* `changed` replace"):
        run(folder, "changed.csv", "next.parquet", against=str(folder / "base.parquet"))
    said = {"against": str(folder / "base.parquet"), "changed": "replace", "decisions": str(folder / "decided.csv")}
    (folder / "decided.csv").write_text("id_a,id_b,decision\nA,D,differ\nA,B,match\n")
    summary = run(folder, "changed.csv", "next.parquet", **said)

    after = entity_of(folder / "next.parquet")
    assert after["A"] == after["B"] == before["A"]
    assert after["C"] == after["D"] == after["E"] == before["D"]
    assert summary["rows"] == 305
    assert "1 records take the place of older ones with their ids" in summary["notices"]
    log = pl.read_parquet(folder / "next.changes.parquet").select("kind", "entity_id", "from_id", "records").rows()
    assert log == [("split", before["D"], before["A"], 1)]
    pairs = pl.read_parquet(folder / "next.pairs.parquet")
    assert pairs.filter(pl.col("id_a").is_in(["A", "B"]) & pl.col("id_b").is_in(["C"])).is_empty()

    # Decisions on a record go with it.
    removal(folder, "last.parquet", "D\n", against=str(folder / "next.parquet"))
    assert pl.read_parquet(folder / "last.decisions.parquet").select("id_a", "id_b").rows() == [("A", "B")]


def test_an_output_may_take_the_place_of_the_one_it_is_added_to(folder: Path) -> None:
    (folder / "D.csv").write_text("customer,id\nx,D\n")
    said = {"removed": str(folder / "D.csv"), "against": str(folder / "base.parquet")}
    pl.DataFrame({"of": ["somebody else"]}).write_parquet(folder / "base.records-7.parquet")
    for ids, rows in (("D", 303), ("A", 302)):
        (folder / "D.csv").write_text(f"customer,id\nx,{ids}\n")
        assert run(folder, "D.csv", "base.parquet", **said)["rows"] == rows
    assert "D" not in entity_of(folder / "base.parquet")
    assert holding(folder, f"{MARK}lone") == {"persons.csv", "base_golden.parquet"}
    assert {path.name for path in folder.glob("base.records*")} == {"base.records-0.parquet", "base.records-7.parquet"}
    # A match of its own under that name leaves nothing of it.
    run(folder, "persons.csv", "base.parquet")
    assert [path.name for path in folder.glob("base.records*")] == ["base.records-7.parquet"]


def test_what_cannot_be_meant_is_refused_in_words(folder: Path) -> None:
    with pytest.raises(ConfigError, match="name that with `against`"):
        run(folder, "persons.csv", "next.parquet", changed="replace")
    with pytest.raises(InputError, match="no such file"):
        run(folder, "persons.csv", "n.parquet", against=str(folder / "base.parquet"), removed=str(folder / "none.csv"))
    with pytest.raises(InputError, match="1 ids are removed and stand in .* as well, 'A' for one"):
        pl.read_csv(folder / "persons.csv", infer_schema=False).filter(pl.col("id") == "A").write_csv(folder / "a.csv")
        removal(folder, "next.parquet", "A\n", name="a.csv", changed="replace")
    every = "\n".join(pl.read_csv(folder / "persons.csv", infer_schema=False)["id"].to_list())
    with pytest.raises(InputError, match="nothing is left of"):
        removal(folder, "next.parquet", f"id\n{every}\n")
