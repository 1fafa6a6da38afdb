"""Three files that are linked: only records of different files meet, and ids are those of each file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import pytest

from core.errors import InputError
from core.linkage.request import MatchRequest
from core.linkage.resolve import resolve
from core.linkage.results.explanation import decision_of, explain, run_of_output
from core.linkage.results.report_facts import gather
from core.made_records.persons.generator import generate_persons
from core.matching.quality.evaluation import evaluate_labels

SIZES = (500, 420, 300)


class Linked(NamedTuple):
    """What was written, the true entity of every record in the same order, and the figures."""

    members: pl.DataFrame
    pairs: pl.DataFrame
    truth: pl.Series
    summary: dict[str, Any]
    out: Path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Path], pl.Series]:
    """Persons of whom many are in several files; every file numbers its records from 0."""
    folder = tmp_path_factory.mktemp("files")
    persons = generate_persons(sum(SIZES), seed=13, duplicates=0.6).sample(fraction=1.0, shuffle=True, seed=5)
    paths, first = [], 0
    for name, size in zip("abc", SIZES, strict=True):
        part = persons[first : first + size].drop("entity_id").with_columns(id=pl.int_range(size))
        part.write_csv(folder / f"{name}.csv")
        paths.append(folder / f"{name}.csv")
        first += size
    return paths, persons["entity_id"]


def linked(files: tuple[list[Path], pl.Series], folder: Path, **extra: Any) -> Linked:
    paths, truth = files
    out = folder / "out.parquet"
    request = MatchRequest(
        input=str(paths[0]), link=tuple(str(path) for path in paths[1:]), id_column="id", out=str(out), **extra
    )
    summary = resolve(request, folder / "work")
    return Linked(pl.read_parquet(out), pl.read_parquet(folder / "out.pairs.parquet"), truth, summary, out)


@pytest.fixture(scope="module")
def plain(files: tuple[list[Path], pl.Series], tmp_path_factory: pytest.TempPathFactory) -> Linked:
    """As runs of earlier versions are: any number of partners."""
    return linked(files, tmp_path_factory.mktemp("plain"), one_to_one=False)


@pytest.fixture(scope="module")
def one_each(files: tuple[list[Path], pl.Series], tmp_path_factory: pytest.TempPathFactory) -> Linked:
    return linked(files, tmp_path_factory.mktemp("one"))


@pytest.fixture(scope="module")
def shared(files: tuple[list[Path], pl.Series], tmp_path_factory: pytest.TempPathFactory) -> Linked:
    return linked(files, tmp_path_factory.mktemp("shared"), shared=("b.csv",))


@pytest.fixture(scope="module")
def answered(files: tuple[list[Path], pl.Series], tmp_path_factory: pytest.TempPathFactory) -> Linked:
    return linked(files, tmp_path_factory.mktemp("answered"), reference="a")


def test_every_row_of_every_file_is_there_with_its_own_id(plain: Linked) -> None:
    expected = [(number, row) for number, size in enumerate(SIZES) for row in map(str, range(size))]
    assert plain.members.select("source", "id").rows() == expected
    assert plain.summary["rows"] == sum(SIZES)


def test_pairs_are_of_every_two_files_and_never_of_one(plain: Linked) -> None:
    met = plain.pairs.filter(pl.col("decision") == "match").select("source_a", "source_b").unique().sort(pl.all())
    assert met.rows() == [(0, 1), (0, 2), (1, 2)]
    assert plain.pairs.filter(pl.col("source_a") >= pl.col("source_b")).is_empty()


def test_the_entities_are_the_true_ones(plain: Linked, one_each: Linked) -> None:
    found = evaluate_labels(plain.members["entity_id"], plain.truth).pairwise
    # Two records of one file are never compared, so a person with both is found through a third file or not at all.
    assert found.precision > 0.99
    assert found.recall > 0.7
    assert evaluate_labels(one_each.members["entity_id"], one_each.truth).pairwise.precision > 0.99


def test_one_to_one_allows_one_record_of_each_file_in_an_entity(plain: Linked, one_each: Linked) -> None:
    assert one_each.members.select("entity_id", "source").is_duplicated().sum() == 0
    assert plain.members.select("entity_id", "source").is_duplicated().sum() > 0
    sizes = one_each.members.group_by("entity_id").len()["len"]
    assert sizes.max() == 3


def test_pairs_that_are_not_taken_name_the_better_partner(plain: Linked, one_each: Linked) -> None:
    lost = one_each.pairs.filter(pl.col("kept_apart_by") == "partner")
    linking = one_each.summary["linking"]
    assert linking["mode"] == "exclusive"
    assert (lost.height, lost["joined"].any()) == (linking["lost"], False)
    assert plain.summary["linking"] == {"mode": "every"}
    assert any("lets its records have several" in notice for notice in one_each.summary["notices"])
    # One that needed no third file: a record of the first has another partner in the second one.
    first = lost.filter(source_a=0, source_b=1).filter(pl.col("kept_apart_id").str.starts_with("1:")).row(0, named=True)
    assert first["decision"] == "review"
    found = explain(run_of_output(one_each.out), f"0:{first['id_a']}", f"1:{first['id_b']}")
    said = decision_of(one_each.out, found)
    assert said["in_the_way"] == f"one of the two had a better partner, record {first['kept_apart_id']}"
    both = pl.col("id").is_in([first["id_a"], first["kept_apart_id"][2:]])
    entities = one_each.members.filter(pl.col("source") < 2, both, pl.col("entity_id") == said["entity_a"])
    assert entities.select("source").to_series().sort().to_list() == [0, 1]


def test_records_of_a_shared_file_alone_have_several_partners(one_each: Linked, shared: Linked) -> None:
    several = shared.members.group_by("entity_id", "source").len().filter(pl.col("len") > 1)
    assert set(several["source"]) <= {0, 2}
    assert several.height > 0
    # Two records of one file are one by way of a record of the file that is shared.
    of_second = shared.members.filter(source=1).select("entity_id")
    assert several.join(of_second, on="entity_id", how="anti").is_empty()
    assert shared.summary["linking"]["shared"] == [1]
    assert shared.summary["linking"]["lost"] < one_each.summary["linking"]["lost"]


def test_a_reference_gives_each_record_one_answer_or_none(answered: Linked) -> None:
    members, truth = answered.members, answered.truth
    first = dict(zip(members.filter(source=0)["id"], members.filter(source=0)["entity_id"], strict=True))
    given = members.with_columns(truth=truth).filter(pl.col("reference_id").is_not_null())
    assert members.columns == ["id", "source", "entity_id", "reference_id", "probability"]
    assert set(given["source"]) == {1, 2}
    assert [first[each] for each in given["reference_id"]] == given["entity_id"].to_list()
    true = dict(zip(members.filter(source=0)["id"], truth, strict=False))
    assert sum(true[row["reference_id"]] == row["truth"] for row in given.iter_rows(named=True)) > 0.98 * given.height
    assert answered.summary["linking"] == {
        "mode": "reference", "reference": 0, "asked": sum(SIZES[1:]), "answered": given.height,
    }  # fmt: skip
    assert answered.pairs.filter((pl.col("source_a") > 0) & (pl.col("source_b") > 0)).is_empty()
    every = pl.read_parquet(answered.out.with_name("out.answers.parquet"))
    sums = every.group_by("source", "id").agg(pl.col("probability").sum(), pl.col("given").sum())
    assert sums["probability"].to_list() == pytest.approx([1.0] * sums.height)
    assert set(sums["given"]) == {1}
    likely = every.filter("given", pl.col("reference_id").is_not_null())
    assert likely.select("source", "id", "reference_id", "probability").equals(
        given.select("source", "id", "reference_id", "probability")
    )
    found = explain(run_of_output(answered.out), "1:3", "2:3")
    assert str(found.barred).endswith("a.csv, which alone gives answers")


def test_records_of_equal_ids_are_explained_by_their_files(one_each: Linked) -> None:
    run = run_of_output(one_each.out)
    entities = dict(
        zip(one_each.members.select("source", "id").iter_rows(), one_each.members["entity_id"].to_list(), strict=True)
    )
    apart = explain(run, "1", "1")
    # The first id is that of the first file, the second that of the last one.
    assert apart.records == ((0, "1"), (2, "1"))
    said = decision_of(one_each.out, apart)
    assert said == {
        "entity_a": entities[0, "1"],
        "entity_b": entities[2, "1"],
        "same_entity": entities[0, "1"] == entities[2, "1"],
        "in_the_way": None,
    }
    assert not said["same_entity"]
    pair = one_each.pairs.filter((pl.col("decision") == "match") & (pl.col("source_b") == 1)).row(0, named=True)
    found = explain(run, f"0:{pair['id_a']}", f"1:{pair['id_b']}")
    assert found.records == ((0, pair["id_a"]), (1, pair["id_b"]))
    assert found.total_bits == pytest.approx(pair["score"], abs=1e-3)
    assert decision_of(one_each.out, found)["same_entity"]
    # An id that only one file has leaves the other record to another file.
    assert explain(run, "450", "3").records == ((0, "450"), (2, "3"))
    with pytest.raises(InputError, match="there is no record '3:1'"):
        explain(run, "3:1", "1")
    with pytest.raises(InputError, match="are the same record"):
        explain(run, "1:1", "1:1")


def test_the_report_shows_the_values_of_the_records_of_a_pair(one_each: Linked) -> None:
    examples = gather(one_each.out, with_values=True).examples
    assert examples
    for example in examples:
        assert example.values is not None
        same = [field for field, level in example.levels.items() if level == "exact"]
        # Values that agree letter by letter are those of the two records, not of others with their ids.
        assert all(None not in example.values[field] for field in same)
        assert any(len({str(value).casefold() for value in example.values[field]}) == 1 for field in same) or not same
