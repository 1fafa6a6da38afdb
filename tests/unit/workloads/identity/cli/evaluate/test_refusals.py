"""What `headrace evaluate` says of files it cannot compare."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InputError
from core.workloads.identity.cli.evaluate.command import evaluate

BAD = [
    ("id,entity_id\n1,a\n1,b\n", "id '1' stands in more than one row"),
    ("id,entity_id\n,a\n2,b\n", "1 rows have an empty id"),
    ("id,other\n1,a\n", "no column 'entity_id'; there are: id, other"),
    ("id,entity_id\n1,a\n2\n", "line 3: expected 2 fields, got 1"),
    ("id,entity_id\n9,a\n", "share no id"),
    ("", "is empty"),
]


@pytest.mark.parametrize(("content", "message"), BAD)
def test_evaluate_refuses_in_one_sentence(content: str, message: str, tmp_path: Path) -> None:
    out, truth = tmp_path / "out.csv", tmp_path / "truth.csv"
    out.write_text(content)
    truth.write_text("id,entity_id\n1,x\n2,x\n")
    with pytest.raises(InputError, match=message) as caught:
        evaluate(out, truth, "id", "entity_id")
    assert caught.value.exit_code == 2
    assert "\n" not in caught.value.message


def test_evaluate_refuses_a_truth_without_entities(tmp_path: Path) -> None:
    out, truth = tmp_path / "out.csv", tmp_path / "truth.csv"
    out.write_text("id,entity_id\n1,a\n")
    truth.write_text("id,entity_id\n1,\n")
    with pytest.raises(InputError, match="no row names an entity"):
        evaluate(out, truth, "id", "entity_id")
