"""`headrace pipeline check`: all mistakes at once, for people and for programs."""

from __future__ import annotations

import json
import re
from pathlib import Path

from core.pipelines.expressions.functions import FUNCTIONS
from core.pipelines.language.yaml_text import read_yaml
from tests.command import headrace

ROOT = Path(__file__).parents[5]
FIXTURES = ROOT / "tests" / "fixtures"
CATALOG = FIXTURES / "shop-catalog.yaml"
PAGE = (ROOT / "docs" / "reference" / "pipelines.md").read_text()


def test_mistakes_are_said_and_end_it_with_two() -> None:
    ended = headrace("pipeline", "check", FIXTURES / "ten-mistakes.yaml", "--catalog", CATALOG)
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 10
    assert ended.stdout == ""


def test_mistakes_are_given_to_programs_with_their_places() -> None:
    ended = headrace("pipeline", "check", FIXTURES / "ten-mistakes.yaml", "--catalog", CATALOG, "--json")
    found = json.loads(ended.stdout)
    assert (ended.returncode, found["ok"], len(found["refusals"])) == (2, False, 10)
    assert found["refusals"][3] == {
        "path": "steps.0 filter.where",
        "position": 10,
        "reason": "amount is decimal(12,2), 'high' is text; they cannot be compared",
    }


def test_the_spec_of_the_reference_can_be_carried_out(tmp_path: Path) -> None:
    (tmp_path / "orders.yaml").write_text(next(iter(re.findall(r"```yaml\n(pipeline:.*?)```", PAGE, re.DOTALL))))
    ended = headrace("pipeline", "check", tmp_path / "orders.yaml", "--catalog", CATALOG, "--json")
    found = json.loads(ended.stdout)
    assert found["ok"], found
    assert [step["step"] for step in found["steps"]] == ["join", "filter", "drop"]
    assert found["columns"]["amount"] == "decimal(12,2)"
    shown = headrace("pipeline", "check", tmp_path / "orders.yaml", "--catalog", CATALOG)
    assert "orders_hourly: can be carried out" in shown.stdout
    assert max(map(len, shown.stdout.splitlines())) <= 80


def test_the_catalog_of_the_reference_is_read(tmp_path: Path) -> None:
    (tmp_path / "catalog.yaml").write_text(next(iter(re.findall(r"```yaml\n(blocks:.*?)```", PAGE, re.DOTALL))))
    ended = headrace("pipeline", "check", FIXTURES / "ten-mistakes.yaml", "--catalog", tmp_path / "catalog.yaml")
    assert ended.returncode == 2
    assert "there is no table crm.customers" in ended.stderr


def test_a_file_that_is_not_there_is_said() -> None:
    ended = headrace("pipeline", "check", "nowhere.yaml", "--catalog", CATALOG)
    assert (ended.returncode, ended.stderr) == (
        2,
        "headrace: nowhere.yaml: cannot be read (No such file or directory)\n",
    )


def test_the_schema_is_one_line_of_json() -> None:
    assert json.loads(headrace("pipeline", "schema").stdout)["required"] == ["pipeline", "sources", "sink"]


def test_the_reference_names_every_function_and_every_word() -> None:
    assert not [name for name in FUNCTIONS if f"`{name}`" not in PAGE]
    schema = json.loads(headrace("pipeline", "schema").stdout)
    words = {word for one in schema["$defs"].values() for word in one.get("properties", {})}
    assert not [word for word in words if not re.search(rf"\b{word}\b", PAGE)]


def test_the_catalog_may_be_a_text_of_the_same_yaml() -> None:
    assert read_yaml(CATALOG.read_bytes())["pipelines"] == {"orders_hourly": {}}
