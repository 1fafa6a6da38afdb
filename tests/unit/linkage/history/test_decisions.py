"""A file of decisions: what may stand in it, which rows are open, and which were made on other values."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from core.errors import InputError, SchemaError
from core.intake.columns import FieldHint
from core.intake.opening import Opening
from core.intake.source import Source, open_source
from core.linkage.history.decisions import notices_of, read_decisions
from core.linkage.history.values_seen import SEEN, records_with, rows_changed, versions

NAMES = ("name", "town")


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def opened(path: Path, text: str) -> Source:
    fields = [FieldHint(name, "text") for name in NAMES]
    return open_source(
        Opening(written(path, text), id_column="id", fields=fields, staging_dir=path.parent / f"staged-{path.stem}")
    )


def test_open_rows_are_passed_over_and_words_may_be_capitals(tmp_path: Path) -> None:
    path = written(tmp_path / "d.csv", "id_a,id_b,decision,by\n1,2,Match,ann\n3,4,,\n5,6,review,\n7,8,DIFFER,ann\n")
    found = read_decisions(path)
    assert found.pairs.select("row", "id_a", "decision", "by").rows() == [
        (1, "1", "match", "ann"),
        (4, "7", "differ", "ann"),
    ]
    assert found.n_open == 2
    assert notices_of(found, "d.csv", [4], 2) == [
        "2 verdicts of the ledger are about records that the input does not have; they wait",
        "d.csv: 2 rows are open and were passed over",
        "d.csv: 1 decisions, row 4 for one, were made on other values than the input has now; they hold, so look at "
        "them again",
    ]


@pytest.mark.parametrize("row", ["1,2,maybe", "1,1,match", ",2,match", "1,,"])
def test_a_row_that_cannot_be_meant_is_named(row: str, tmp_path: Path) -> None:
    path = written(tmp_path / "d.csv", f"id_a,id_b,decision\n3,4,match\n{row}\n")
    with pytest.raises(
        InputError, match=r"d\.csv, row 2: a decision names two different records, .* \(1 rows do not\)"
    ):
        read_decisions(path)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="no column decision; there are: id_a, id_b, same"):
        read_decisions(written(tmp_path / "d.csv", "id_a,id_b,same\n1,2,1\n"))


def test_decisions_on_other_values_are_found(tmp_path: Path) -> None:
    seen = opened(tmp_path / "seen.csv", "id,name,town\n1,Ann,Rye\n2,Anna,Rye\n3,Bob,Ely\n4,Rob,\n")
    records = records_with([seen], pl.Series(["1", "2", "3", "4"]), NAMES)
    decisions = pl.DataFrame({"row": [1, 2, 3], "id_a": ["1", "3", "1"], "id_b": ["2", "4", "3"]})
    a, b = (
        decisions.select(id=side).join(records, on="id", how="left", maintain_order="left") for side in ("id_a", "id_b")
    )
    decisions = decisions.with_columns(versions(a, b, NAMES)).with_columns(
        pl.when(pl.col("row") != 3).then(pl.col(SEEN)).alias(SEEN)
    )
    assert rows_changed(decisions, [seen], NAMES) == []
    now = opened(tmp_path / "now.csv", "id,name,town\n4,Rob,Ely\n1,Ann,Rye\n2,Anna,Rye\n3,Bob,Ely\n")
    assert rows_changed(decisions, [now], NAMES) == [2]


def test_versions_tell_an_absent_value_and_a_moved_one_apart() -> None:
    def of(*values: str | None) -> str:
        side = pl.DataFrame([values], schema=dict.fromkeys(NAMES, pl.String), orient="row")
        return str(versions(side, side, NAMES)[0])

    assert len({of("a", None), of(None, "a"), of("a", ""), of("a", "a"), of("b", "a")}) == 5
    assert of("Ann", "Rye") == of("Ann", "Rye") == "v33935e77-ff20"
