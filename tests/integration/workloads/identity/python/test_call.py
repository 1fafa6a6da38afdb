"""`headrace.match`: frames of polars and pandas and files give the same answer, which leaves nothing behind."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import polars as pl
import pytest

import headrace
from headrace import HeadraceError, MatchResult


@pytest.fixture(scope="module")
def persons() -> pl.DataFrame:
    return headrace.made_persons(400, seed=3)


@pytest.fixture(scope="module")
def temporary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("temporary")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tempfile.tempdir", str(folder))
        yield folder


@pytest.fixture(scope="module")
def result(persons: pl.DataFrame, temporary: Path) -> Iterator[MatchResult[pl.DataFrame]]:
    with headrace.match(persons.drop("entity_id"), best_records=True, quiet=True) as found:
        yield found


def test_result_has_every_record_in_order_and_scores_against_the_truth(
    persons: pl.DataFrame, result: MatchResult[pl.DataFrame]
) -> None:
    assert result.entities["id"].to_list() == persons["id"].to_list()
    assert result.evaluate(persons, entity="entity_id").pairwise.f1 > 0.95
    assert result.best_records.height == result.summary["entities"] == result.entities["entity_id"].n_unique()
    assert repr(result).startswith("400 records are ")
    assert not headrace.made_persons(400, seed=3, profile="plain").equals(persons)


def test_pairs_are_explained_and_the_report_is_shown_inline(result: MatchResult[pl.DataFrame]) -> None:
    first = result.pairs.row(0, named=True)
    why = result.explain(first["id_a"], first["id_b"])
    assert why.same_entity is first["joined"]
    assert why.evidence.total_bits == pytest.approx(first["score"], abs=0.01)
    assert "in the result the records are one entity" in why._repr_html_()
    shown = result.report()._repr_html_()
    assert shown.startswith("<iframe srcdoc=")
    assert "<script" not in shown
    with pytest.raises(HeadraceError, match="there is no record 'nobody'"):
        result.explain("nobody", first["id_b"])


def test_pandas_in_pandas_out_with_the_same_answer(
    persons: pl.DataFrame, result: MatchResult[pl.DataFrame], temporary: Path
) -> None:
    frame = pd.DataFrame(persons.drop("entity_id").to_dict(as_series=False))
    with headrace.match(frame, quiet=True) as found:
        assert isinstance(found.entities, pd.DataFrame)
        assert found.entities["entity_id"].tolist() == result.entities["entity_id"].to_list()
        with pytest.raises(HeadraceError, match="best_records=True"):
            _ = found.best_records
    assert [path.name for path in temporary.iterdir() if "pandas" in path.name] == []


def test_a_frame_without_ids_is_named_by_its_rows_and_linked_across(persons: pl.DataFrame, temporary: Path) -> None:
    before = set(temporary.iterdir())
    halves = [persons.drop("id", "entity_id")[:200], persons.drop("id", "entity_id")[200:]]
    with headrace.match(halves[0], link=halves[1], quiet=True) as found:
        assert found.entities["id"].to_list() == [*range(200), *range(200)]
        assert found.entities["source"].to_list() == [0] * 200 + [1] * 200
        with pytest.raises(HeadraceError, match="share ids"):
            found.evaluate(persons, entity="entity_id")
    assert set(temporary.iterdir()) == before
    with pytest.raises(HeadraceError, match="was closed"):
        found.report()


def test_what_is_linked_has_columns_of_its_own(persons: pl.DataFrame) -> None:
    known = persons.drop("entity_id")
    till = known[200:].rename({"id": "till_no", "last_name": "NAME1"})
    with headrace.match(
        known[:200], link=[till], link_id=["till_no"], link_map={"last_name": "NAME1"}, quiet=True
    ) as found:
        assert found.entities["id"].to_list() == known["id"].to_list()
        assert "last_name" in found.pairs["pattern"].item(0)


def test_records_of_a_result_are_changed_and_removed(
    persons: pl.DataFrame, result: MatchResult[pl.DataFrame], temporary: Path
) -> None:
    ids, before = persons["id"].to_list(), set(temporary.iterdir())
    changed = persons.drop("entity_id")[4:5].with_columns(last_name=pl.lit("Zyxwvutmark"))
    with headrace.match(changed, against=result, changed="replace", removed=ids[:2], quiet=True) as found:
        assert found.entities["id"].to_list() == [*ids[2:4], *ids[5:], ids[4]]
        with headrace.match(against=found, removed=persons[4:5].select("id"), quiet=True) as rest:
            assert rest.entities["id"].to_list() == [*ids[2:4], *ids[5:]]
            assert "removed.parquet: 1 records are removed" in rest.summary["notices"]
        for records, options, sentence in (
            (None, {}, "say what to match"),
            (None, {"removed": 5}, "`removed` 5: give ids in a list"),
            (changed.drop("id"), {"changed": "replace"}, "no column 'id', by which `against` names records"),
            (changed, {}, "1 record ids are in"),
        ):
            with pytest.raises(HeadraceError, match=sentence):
                headrace.match(records, against=found, quiet=True, **options)
    assert set(temporary.iterdir()) == before


@pytest.mark.parametrize(
    ("records", "options", "sentence"),
    [
        ([1, 2], {}, "records are a polars or pandas frame, or a path; got builtins.list"),
        (pl.DataFrame({"a": [1]}), {"id": "no"}, "the frame has no column 'no' (`id`); it has: a"),
        (pl.DataFrame({"id": [1], "dob": ["1990-01-01"]}), {}, "no column is known as first_name and last_name"),
        ("nowhere.csv", {}, "no such file"),
        ("a.csv", {"link": ["b.csv", "c.csv"], "link_id": ["no"]}, "link_id says it of 1, but `link` has 2"),
        ("a.csv", {"link_map": {"dob": "GEB"}}, "link_map says it of 1, but `link` has 0"),
    ],
)
def test_what_cannot_be_meant_is_told_and_leaves_nothing(
    temporary: Path, records: object, options: dict[str, str], sentence: str
) -> None:
    before = set(temporary.iterdir())
    with pytest.raises(HeadraceError) as refused:
        headrace.match(records, quiet=True, **options)
    assert sentence in str(refused.value)
    assert set(temporary.iterdir()) == before


@pytest.mark.parametrize("name", ["core", "flows"])
def test_packages_of_ones_own_that_hide_ours_are_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").touch()
    done = subprocess.run(
        [sys.executable, "-c", "import headrace"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith(f"ImportError: headrace needs its own package '{name}', but Python finds {tmp_path}")
    assert last.endswith("rename that, or start Python in another folder or with -P")
