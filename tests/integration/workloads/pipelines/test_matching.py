"""Match steps through the engine: entities, golden records, links to another source, and what is new to it."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from core.made_records.persons.generator import generate_persons
from core.pipelines.language.spec import Match
from core.workloads.pipelines.matching import match_rows
from tests.integration.workloads.pipelines.conftest import Bench


@pytest.fixture(scope="module")
def persons() -> pl.DataFrame:
    return generate_persons(600, seed=3, duplicates=0.4, profile="plain")


def step(**words: Any) -> Match:
    return Match.model_validate({"do": "match", "spec": "persons", **words})


def test_rows_keep_their_order_and_know_their_entity(persons: pl.DataFrame) -> None:
    rows = persons.drop("id", "entity_id")
    found = match_rows(step(), rows, None)
    assert found.drop("entity_id").equals(rows)
    both = pl.DataFrame({"ours": found["entity_id"], "true": persons["entity_id"]})
    # Those joined are one person each, and nearly all of one person are joined.
    assert both.group_by("ours").agg(pl.col("true").n_unique())["true"].max() == 1
    assert found["entity_id"].n_unique() < 1.03 * persons["entity_id"].n_unique()
    assert (found["entity_id"].cast(pl.Int64) <= pl.int_range(600, eager=True)).all()


def test_a_golden_record_is_the_fullest_with_its_gaps_filled(persons: pl.DataFrame) -> None:
    rows = persons.drop("id", "entity_id")
    entity, golden = match_rows(step(), rows, None), match_rows(step(result="golden"), rows, None)
    assert golden["entity_id"].to_list() == sorted(entity["entity_id"].unique(), key=int)
    most = entity.group_by("entity_id").agg(pl.col("phone").drop_nulls().len() > 0).sort(pl.col("entity_id").cast(int))
    assert golden["phone"].is_not_null().to_list() == most["phone"].to_list()


def test_links_are_named_by_the_key_of_each_side_and_new_rows_have_none(persons: pl.DataFrame) -> None:
    left, right = persons.drop("entity_id")[:300], persons.drop("entity_id")[300:]
    links = match_rows(step(result="links", **{"with": "others"}), left, right)
    entity = dict(persons.select("id", "entity_id").iter_rows())
    assert links.height > 30
    assert all(entity[one] == entity[its] for one, its in links.select("left_id", "right_id").iter_rows())
    assert links["probability"].is_between(0.5, 1).all()
    fresh = match_rows(step(result="new", **{"with": "others"}), left, right)
    assert sorted([*fresh["id"], *links["left_id"].unique()]) == sorted(left["id"])


@pytest.mark.parametrize(("result", "rows"), [("entity", 2), ("golden", 2), ("new", 2), ("links", 0)])
def test_without_rows_on_the_other_side_nothing_is_matched(persons: pl.DataFrame, result: str, rows: int) -> None:
    given = persons.drop("entity_id")[:2]
    found = match_rows(step(result=result, **{"with": "others"}), given, given.clear())
    assert found.height == rows


def test_a_run_writes_what_a_match_step_gives(bench: Bench, persons: pl.DataFrame) -> None:
    rows = persons.drop("entity_id")
    rows.write_csv(bench.landing / "people.csv")
    columns = ", ".join(f"{name}: text" for name in rows.columns)
    bench.load(
        "pipeline: people\n"
        f"sources: {{p: {{kind: csv, at: landing, path: people.csv, columns: {{{columns}}}}}}}\n"
        "steps: [{do: match, spec: persons, result: entity}]\n"
        "sink: {table: sales.people, mode: upsert, keys: [id], create: true}\n"
    )
    found = bench.sql("SELECT count(*), count(DISTINCT entity_id) FROM sales.people")
    assert found[0][0] == 600
    assert found[0][1] < 1.03 * persons["entity_id"].n_unique()
