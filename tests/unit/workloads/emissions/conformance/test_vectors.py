"""The worked examples are met; what the source misprints is said, and wrong vectors are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from core.errors import InputError
from core.workloads.emissions.conformance.vectors import SHIPPED, Checked, check_file

MISPRINTS = {("1.2", "total"), ("1.2", "inbound_transport"), ("8.1", "total")}
TERM = {"quantity": [2, "t"], "factor": ["0.5", "kgCO2e/kg"]}


def checked(tmp_path: Path, **sections: object) -> list[Checked]:
    path = tmp_path / "v.yaml"
    path.write_text(yaml.safe_dump(sections))
    return check_file(path)


def example(**changed: object) -> dict[str, object]:
    return {"id": "x", "result": {"recomputed": 1000, "unit": "kgCO2e"}, "terms": [TERM], **changed}


def test_shipped_vectors_are_met_and_misprints_said() -> None:
    found = check_file()
    assert {(row.row.vector, row.row.part) for row in found if row.verdict == "misprint"} == MISPRINTS
    assert {row.verdict for row in found} == {"fits", "misprint"}
    assert {row.row.vector for row in found} >= {str(x["id"]) for x in yaml.safe_load(SHIPPED.read_text())["examples"]}


def test_a_vector_of_ones_own_is_held_against_its_value(tmp_path: Path) -> None:
    wrong = {"recomputed": 1001, "unit": "kgCO2e"}
    found = checked(tmp_path, examples=[example(), example(result=wrong)])
    assert [row.verdict for row in found] == ["fits", "wrong"]


@pytest.mark.parametrize(
    ("term", "said"),
    [
        ({"quantity": [2, "ton"]}, "short or a long ton"),
        ({"quantity": [2, "km"]}, "cannot be converted"),
        ({"quantity": [None, "t"]}, "None is no number"),
        ({"quantity": ["#N/A", "t"]}, "'#N/A' is no number"),
        ({"quantity": ["1,5", "t"]}, "'1,5' is no number"),
        ({"share": [1, 0]}, "divides by 0"),
        ({"quantity": 5}, "not [number, unit]"),
    ],
)
def test_what_cannot_be_computed_is_wrong_with_the_reason(tmp_path: Path, term: dict[str, object], said: str) -> None:
    (row,) = checked(tmp_path, examples=[example(terms=[{**TERM, **term}])])
    assert row.verdict == "wrong"
    assert row.row.got is None
    assert said in row.row.note


def test_a_section_without_a_rule_is_said_not_to_be_checked(tmp_path: Path) -> None:
    (row,) = checked(tmp_path, factor_files={"desnz": 28})
    assert row.verdict == "not checked"


def test_a_section_of_another_form_is_wrong(tmp_path: Path) -> None:
    (row,) = checked(tmp_path, pcaf=[{"asset_class": "bond"}])
    assert row.verdict == "wrong"


def test_a_file_that_is_no_yaml_of_sections_is_refused(tmp_path: Path) -> None:
    (tmp_path / "v.yaml").write_text("just words")
    with pytest.raises(InputError, match="no sections"):
        check_file(tmp_path / "v.yaml")
    with pytest.raises(InputError, match="cannot be read"):
        check_file(tmp_path / "none.yaml")
