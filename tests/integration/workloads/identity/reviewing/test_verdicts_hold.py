"""A published run asks people about its doubtful pairs; what they say holds in reruns until it must be asked again."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from core.database import DatabaseManager
from core.errors import ConfigError
from core.linkage.request import MatchRequest
from core.made_records.persons.generator import generate_persons
from core.review.items import claim, counts, find
from core.review.verdicts import Said, give, take_back
from core.workloads.identity.reviewing.cases import DIFFERENT, POLICY, SAME, topic
from core.workloads.identity.reviewing.ledger_decisions import with_verdicts
from core.workloads.identity.reviewing.shown_records import shown_records
from tests.command import headrace
from tests.integration.linkage.test_parity import through_the_queue

DATASET = "persons:people.csv"
AT = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
LATER = AT + timedelta(minutes=10)
"""When nobody holds anything any more."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, db: DatabaseManager) -> Path:
    """Persons, published once."""
    folder = tmp_path_factory.mktemp("review")
    generate_persons(1_500, seed=11, duplicates=0.4).write_csv(folder / "people.csv")
    matched(db, folder, "first")
    return folder


def matched(db: DatabaseManager, folder: Path, out: str, **extra: Any) -> tuple[MatchRequest, pl.DataFrame]:
    request = MatchRequest(
        input=str(folder / "people.csv"), id_column="id", out=str(folder / f"{out}.parquet"), **extra
    )
    request = with_verdicts(request, db, folder / "verdicts", given=False)
    through_the_queue(request, db, folder)
    return request, pl.read_parquet(folder / f"{out}.parquet")


def are_one(entities: pl.DataFrame, subject: tuple[str, ...]) -> bool:
    return entities.filter(pl.col("id").is_in(list(subject)))["entity_id"].n_unique() == 1


def test_verdicts_hold_in_a_rerun_until_they_are_taken_back(db: DatabaseManager, folder: Path) -> None:
    before = pl.read_parquet(folder / "first.parquet")
    pairs = pl.read_parquet(folder / "first.pairs.parquet").filter(pl.col("decision") == "review")
    items = claim(db, topic(DATASET), "ann", AT, n_most=100)
    (standing,) = counts(db, AT, topic(DATASET))
    assert standing.open == pairs.height > 5
    assert [item.value for item in items] == sorted((item.value for item in items), reverse=True)
    assert all(item.subject == tuple(sorted(item.subject)) for item in items)
    apart, other = [item for item in items if not are_one(before, item.subject)][:2]
    words = [
        give(db, "ann", Said(item.item_id, item.version, SAME, f"{item.item_id}"), AT, POLICY)
        for item in (apart, other)
    ]
    take_back(db, "ann", words[1].event_id, "undo", AT)

    request, after = matched(db, folder, "second")
    assert request.decisions is not None
    assert are_one(after, apart.subject)
    assert not are_one(after, other.subject)
    assert find(db, apart.item_id).state in {"settled", "second"}, "what was decided is not asked again"

    # The verdict is overruled, and so is what the run before had taken from it.
    now = find(db, apart.item_id)
    give(db, "ann", Said(now.item_id, now.version, DIFFERENT, "overrule"), AT, POLICY)
    _, last = matched(db, folder, "third")
    assert not are_one(last, apart.subject)


def test_a_verdict_on_values_that_changed_is_asked_again_and_holds_on(db: DatabaseManager, folder: Path) -> None:
    item = next(each for each in claim(db, topic(DATASET), "cid", LATER, n_most=100) if each.verdict is None)
    assert sum(bits["bits_milli"] != 0 for bits in item.facts["fields"]) > 2
    shown = shown_records(db, DATASET, item.subject)
    assert set(shown) == set(item.subject)
    give(db, "cid", Said(item.item_id, item.version, DIFFERENT, "changed"), LATER, POLICY)
    people = pl.read_csv(folder / "people.csv", infer_schema=False)
    street = pl.when(pl.col("id") == item.subject[0]).then(pl.lit("1 Other Road")).otherwise("street")
    people.with_columns(street=street).write_csv(folder / "people.csv")
    matched(db, folder, "changed")
    back = find(db, item.item_id)
    assert (back.state, back.returned, back.verdict) == ("open", "values", DIFFERENT)
    assert shown_records(db, DATASET, item.subject)[item.subject[0]]["street"] == "1 Other Road"


def test_status_and_match_speak_of_the_ledger(db: DatabaseManager, database_url: str, folder: Path) -> None:
    env = {"HEADRACE_DATABASE__URL": database_url, "HEADRACE_STATE_DIR": str(folder / "state"), "COLUMNS": "80"}
    shown = headrace("review", "status", "--dataset", DATASET, env=env)
    assert (shown.returncode, "from 50 on they are held against" in shown.stdout) == (0, True), shown.stderr
    told = json.loads(headrace("review", "status", "--json", env=env).stdout)
    assert [line["dataset"] for line in told["datasets"]] == [DATASET]
    out = folder / "local.parquet"
    done = headrace("match", folder / "people.csv", "--decisions", "ledger", "--out", out, env=env)
    assert done.returncode == 0, done.stderr
    decisions = pl.read_parquet(folder / "local.decisions.parquet")
    assert set(decisions["by"]) == {"ann", "cid"}
    refused = headrace("match", folder / "people.csv", "--decisions", "ledger:nobody", env=env)
    assert (refused.returncode, "nobody has decided a pair of data set 'nobody'" in refused.stderr) == (2, True)


def test_decisions_of_a_data_set_that_nobody_judged_are_refused(db: DatabaseManager, tmp_path: Path) -> None:
    request = MatchRequest(input="people.csv", id_column="id", decisions="ledger:other")
    with pytest.raises(ConfigError, match="nobody has decided a pair of data set 'other' yet"):
        with_verdicts(request, db, tmp_path)
    quiet = request.model_copy(update={"decisions": None})
    assert with_verdicts(quiet, db, tmp_path) is quiet
