"""`headrace ask`: a spec that `pipeline check` takes, or one sentence back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.command import headrace

FIXTURES = Path(__file__).parents[4] / "fixtures"
CORPUS = FIXTURES / "assistant" / "requests.yaml"


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ask") / "catalog.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(CORPUS.read_text())["catalog"]))
    return path


def test_the_spec_that_is_printed_can_be_checked(catalog: Path, tmp_path: Path) -> None:
    ended = headrace("ask", "Import feedings.parquet into zoo.feedings every day at 6 am", "--catalog", catalog)
    assert ended.returncode == 0, ended.stderr
    (tmp_path / "feedings.yaml").write_text(ended.stdout)
    checked = headrace("pipeline", "check", tmp_path / "feedings.yaml", "--catalog", catalog)
    assert checked.returncode == 0, checked.stderr


def test_programs_get_one_object(catalog: Path) -> None:
    ended = headrace("ask", "Run animals_load every 20 minutes", "--catalog", catalog, "--json")
    found: dict[str, Any] = json.loads(ended.stdout)
    assert found["change"] == {"pipeline": "animals_load", "set": {"schedule": {"cron": "*/20 * * * *"}}}


def test_a_catalog_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("blocks: [")
    for name in ("broken.yaml", "absent.yaml"):
        ended = headrace("ask", "Load a.csv into b.c", "--catalog", tmp_path / name)
        assert (ended.returncode, len(ended.stderr.splitlines())) == (2, 1), ended.stderr


def test_benchmark_counts_every_request() -> None:
    ended = headrace("bench", "planner", "--corpus", CORPUS, "--json")
    found = json.loads(ended.stdout)
    total = found["figures"][-1] if isinstance(found, dict) and "figures" in found else found[-1]
    assert (total["answer"], total["wrong"], total["unsafe"]) == ("all", 0, 0)
    assert total["requests"] == len(yaml.safe_load(CORPUS.read_text())["requests"])


def test_a_question_in_sql_is_checked(tmp_path: Path) -> None:
    catalog = FIXTURES / "questions" / "catalog.yaml"
    ended = headrace("ask", "--sql", "select status from shop.orders", "--catalog", catalog, "--json")
    found = json.loads(ended.stdout)
    assert found["query"] == {"sql": "select status from shop.orders", "reads": {"shop.orders": ["status"]}}
    ended = headrace("ask", "--sql", "select * from shop.customers", "--catalog", catalog, "--json")
    assert (ended.returncode, json.loads(ended.stdout)["refuse"]) == (3, {"why": "forbidden"})


def test_a_request_or_a_question_is_asked_not_both(catalog: Path) -> None:
    for words in ([], ["Load a.csv into b.c", "--sql", "select 1"]):
        ended = headrace("ask", *words, "--catalog", catalog)
        assert (ended.returncode, len(ended.stderr.splitlines())) == (2, 1), ended.stderr
