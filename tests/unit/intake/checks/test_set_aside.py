"""Many bad rows: the side file has each in order with its reason and what stood there; the others are read as ever."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from core.intake.checks import row_checks, set_aside
from core.intake.columnar import parquet_source
from core.intake.columns import EVERY, FieldHint
from core.intake.delimited import csv_file
from core.intake.opening import Opening
from core.intake.source import Source, open_source
from tests.workbooks import write_xlsx

FIELDS = (FieldHint("name", "surname"), FieldHint("dob", "date"))
EMPTY, UNREAD = "is empty, but every row needs an id", "has a date that does not exist or cannot be read"
SPELT = {
    "ragged": (b"%d,Secr,1990-01-31,x\n", "expected 3 fields, got 4", ""),
    "nul": (b"%d,Se\0cr,1990-01-31\n", "has a NUL byte", "name"),
    "latin1": (b"%d,Secr\xe9t,1990-01-31\n", "is not UTF-8; save the file as UTF-8", "name"),
    "quote": (b'%d,"Se"cr,1990-01-31\n', "has text behind its closing quote", "name"),
    "date": (b"%d,Secr,1990-02-31\n", UNREAD, "dob"),
    "id": (b",Secr %d,1990-01-31\n", EMPTY, "id"),
}


@pytest.fixture
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks, slices and batches so small that bad rows lie in many."""
    monkeypatch.setattr(csv_file, "BLOCK_BYTES", 4_000)
    monkeypatch.setattr(parquet_source, "_SLICE_ROWS", 150)
    for module in (set_aside, row_checks):
        monkeypatch.setattr(module, "ROWS_AT_ONCE", 7)


def _open(path: Path, tmp_path: Path, **options: Any) -> Source:
    opening = Opening(
        path, "id", FIELDS, tmp_path / "staging", bad_rows="quarantine", kept=(EVERY,), bad_values="refuse", **options
    )
    return Source.from_dict(json.loads(json.dumps(open_source(opening).to_dict())))


def _side(tmp_path: Path) -> list[tuple[str, ...]]:
    with (tmp_path / "staging" / "bad_rows.csv").open(newline="", encoding="utf-8") as file:
        return [tuple(row) for row in csv.reader(file)][1:]


@pytest.mark.usefixtures("_small")
def test_bad_rows_of_every_kind_are_written_line_by_line(tmp_path: Path) -> None:
    good = [b'%d,"Secr\xc3\xa9t\n%d",1990-01-31\n' % (number, number) for number in range(600)]
    lines, expected, line = [b"id,name,dob\n"], [], 2
    for number, text in enumerate(good):
        lines.append(text)
        line += 2
        if number % 10 == 3:
            spelt, reason, column = list(SPELT.values())[number // 10 % len(SPELT)]
            lines.append(spelt % (10_000 + number))
            raw = lines[-1].strip().decode("utf-8", "backslashreplace")
            expected.append((str(line), reason, column, raw))
            line += 1
    repeats = []
    for number in range(0, 600, 7):
        lines.append(b"%d,Again %d,\n" % (number, number))
        first = 2 + 2 * number + (number + 6) // 10
        reason = f"repeats the id '{number}' of line {first}"
        repeats.append((str(line), reason, "id", f"{number},Again {number},"))
        line += 1
    path = tmp_path / "in.csv"
    path.write_bytes(b"".join(lines))
    source = _open(path, tmp_path)
    assert _side(tmp_path) == expected + repeats
    assert (source.rows, source.quarantined) == (600, len(expected + repeats))
    assert source.read(0, source.rows)["id"].to_list() == [str(number) for number in range(600)]


def _people(every: int) -> pl.DataFrame:
    """1,000 rows: of every so many one has no id, one an id of before, and one a date of no calendar."""
    ids: list[str | None] = [f"p{number}" for number in range(1_000)]
    dobs = ["1985-05-04"] * 1_000
    for number in range(every, 1_000 - 2, every):
        ids[number], ids[number + 1], dobs[number + 2] = None, ids[number - 2], "1985-02-30"
    return pl.DataFrame({"id": ids, "name": ["Müller", "Lee"] * 500, "dob": dobs})


def _expected(people: pl.DataFrame, unit: str, first: int, raws: list[str]) -> tuple[list[tuple[str, ...]], list[int]]:
    """What the side file holds, and the rows that are good."""
    checked, repeats, kept, seen = [], [], [], {}
    for row, (name, dob) in enumerate(people.select("id", "dob").iter_rows()):
        line = str(row + first)
        if name is None:
            checked.append((line, EMPTY, "id", raws[row]))
        elif dob == "1985-02-30":
            checked.append((line, UNREAD, "dob", raws[row]))
        elif name in seen:
            repeats.append((line, f"repeats the id {name!r} of {unit} {seen[name]}", "id", raws[row]))
        else:
            seen[name] = line
            kept.append(row)
    return checked + repeats, kept


@pytest.mark.usefixtures("_small")
@pytest.mark.parametrize("every", [101, 9], ids=["few", "many"])
@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet", "arrow", "xlsx"])
def test_bad_rows_are_left_out_of_every_kind_of_table(ending: str, every: int, tmp_path: Path) -> None:
    people = _people(every)
    path, first = tmp_path / f"in.{ending}", 1
    raws = [json.dumps(row, ensure_ascii=False) for row in people.to_dicts()]
    match ending:
        case "csv":
            people.write_csv(path)
            raws, first = path.read_text().splitlines()[1:], 2
        case "jsonl":
            path.write_text("\n".join(raws))
        case "parquet":
            people.write_parquet(path, row_group_size=300)
        case "arrow":
            people.write_ipc(path)
        case _:
            write_xlsx(path, {"People": [people.columns, *people.rows()]})
            first = 2
    source = _open(path, tmp_path)
    expected, kept = _expected(people, "line", first, raws)
    assert _side(tmp_path) == expected
    good = people[kept]
    assert (source.rows, source.quarantined) == (len(kept), len(expected))
    assert source.ids().equals(good["id"])
    assert source.scan_kept().collect().equals(good.select("name", "dob"))
    for lo, hi in [(0, source.rows), (0, 1), (98, 103), (149, 600), (source.rows - 1, source.rows + 9)]:
        assert source.read(lo, hi).equals(good[lo:hi])
    # Few rows are left out of the file where it lies; where they are many, the others are copied.
    assert source.staged is (ending != "parquet" or every == 9)
    assert bool(source.left_out) is (every == 101)


@pytest.mark.usefixtures("_small")
def test_bad_rows_of_parquet_in_parts_name_their_file_and_keep_every_value(tmp_path: Path) -> None:
    people = _people(250).with_columns(pl.col("dob").str.to_date(strict=False).alias("day"), score=0.5)
    (tmp_path / "in").mkdir()
    cuts = [(0, 400), (400, 401), (401, 1_000)]
    for number, (lo, hi) in enumerate(cuts):
        people[lo:hi].write_parquet(tmp_path / "in" / f"{number}.parquet")
    source = _open(tmp_path / "in", tmp_path, mapping={"dob": "dob"})
    side = _side(tmp_path)
    assert [(Path(row[0]).name, row[1]) for row in side] == [
        *[("0.parquet", "251"), ("0.parquet", "253"), ("2.parquet", "100"), ("2.parquet", "102"), ("2.parquet", "350")],
        *[("2.parquet", "352"), ("0.parquet", "252"), ("2.parquet", "101"), ("2.parquet", "351")],
    ]
    assert [row[4] for row in side] == [
        json.dumps(people[at].to_dicts()[0], default=str, ensure_ascii=False)
        for at in (250, 252, 500, 502, 750, 752, 251, 501, 751)
    ]
    good = people[[row for row in range(1_000) if row not in {250, 251, 252, 500, 501, 502, 750, 751, 752}]]
    assert not source.staged
    assert source.ids().equals(good["id"])
    assert source.read(390, 420)["id"].equals(good["id"][390:420])
