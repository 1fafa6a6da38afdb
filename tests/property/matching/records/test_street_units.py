"""The unit of a house as the kernel reads it, against its slow twin; and what streets say with it."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from core.errors import SpecError
from core.matching.compare.patterns import compare_pairs
from core.matching.records.layout import Layout
from core.matching.records.pack_text import pack_text
from core.matching.records.packing import UNIT_SHIFT, pack_streets
from core.matching.reference.streets import street_unit, unit_level
from core.matching.specs.levels import MISSING
from core.matching.specs.spec import MatchSpec, load_spec
from core.matching.standardise.streets import street_tables
from core.matching.text.hashing import flat_bytes

WORDS = st.sampled_from(
    ["12", "7a", "3", "3rd", "main", "oak", "north", "st", "ave", "apt", "unit", "apt4", "fl", "floor", "bldg", "whg",
     "og", "2og", "links", "re", "b", "stock", "top", "piso", "lot", "zz9", "21st", "b2", "65", "penthouse"]
)  # fmt: skip
FIELDS = [
    {"name": "street", "kind": "street"},
    {"name": "unit", "kind": "mark", "mark": "unit", "read_from": ["street"]},
]
SPEC = MatchSpec.model_validate({"name": "t", "fields": FIELDS, "passes": [{"name": "p", "keys": ["street"]}]})
LAYOUT = Layout.of(SPEC)
EXACT, SAME_STREET, SAME_NAME = 4, 3, 1


def packed(text: str, *, with_unit: bool = True) -> list[int]:
    units, starts = flat_bytes(pl.Series([text]))
    out = np.zeros((1, 4), dtype=np.uint32)
    pack_streets(units, starts, street_tables(with_unit), out)
    return [int(word) for word in out[0]]


def levels(a: str, b: str) -> list[int]:
    """Levels of street and unit."""
    words, vocabulary = pack_text(pl.DataFrame({"street": [a, b]}), LAYOUT)
    left, right = np.array([0, 1], dtype=np.uint32), np.array([1, 0], dtype=np.uint32)
    found = compare_pairs(words, vocabulary, LAYOUT, left, right)
    assert found[0].tolist() == found[1].tolist()
    return [int(each) for each in found[0]]


@given(st.lists(WORDS, max_size=7))
def test_unit_agrees_with_twin(words):
    assert packed(" ".join(words))[0] >> UNIT_SHIFT == street_unit(words)


@given(st.lists(WORDS, max_size=7))
def test_unit_changes_nothing_else_of_a_street(words):
    with_unit, without = packed(" ".join(words)), packed(" ".join(words), with_unit=False)
    assert with_unit[1:] == without[1:]
    assert with_unit[0] & 0xFFFFF == without[0] & 0xFFFFF


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("12 Main St Apt 3", "12 Main Street #3"),
        ("12 Main St Apt #3", "12 Main St, Unit 3"),
        ("12 Main St apt3b", "12 Main St Suite 3B"),
        ("12 Main St 3rd floor", "12 Main St Floor 3"),
        ("3/12 Main St", "Unit 3, 12 Main St"),
        ("12 Main St, Bldg 4, Apt 7", "12 Main St Apt 7"),
        ("Lindenstraße 12, Wohnung 3", "Lindenstraße 12 Whg. 3"),
        ("Lindenstraße 12, 2.OG links", "Lindenstraße 12, 2. Stock li"),
        ("Lindengasse 12/3", "Lindengasse 12 Top 3"),
        ("Rua das Flores 12, Apto 3", "Rua das Flores 12, app. 3"),
    ],
)
def test_units_are_the_same_however_they_are_written(a, b):
    assert levels(a, b) == [EXACT, 1]


@pytest.mark.parametrize(
    ("a", "b", "street", "unit"),
    [
        ("12 Main St Apt 3", "12 Main St Apt 4", EXACT, 0),
        ("12 Main St Apt 3A", "12 Main St Apt 3B", EXACT, 0),
        ("12 Main St 3rd floor", "12 Main St 4th floor", EXACT, 0),
        ("Lindenstraße 12, 2.OG links", "Lindenstraße 12, 2.OG rechts", EXACT, 0),
        ("12 Main St Apt 3", "12 Main Apt 3", SAME_STREET, 1),
        ("12 Main St Apt 3", "12 N Main St Apt 3", SAME_STREET, 1),
        ("12 Main St Apt 3", "12 Main St", EXACT, MISSING),
        ("12 Highway 7 Floor 2", "12 Highway 7", EXACT, MISSING),
        ("12 Main St", "12 Main Ave", SAME_STREET, MISSING),
        ("12 Main St Apt 3", "14 Main St Apt 4", SAME_NAME, MISSING),
        ("12 Stock Rd", "14 Stock Rd", SAME_NAME, MISSING),
    ],
)
def test_another_unit_is_another_home_and_none_says_nothing(a, b, street, unit):
    assert levels(a, b) == [street, unit]


HOUSES = st.tuples(st.sampled_from([12, 14]), st.sampled_from(["main", "oak"]), st.integers(0, 3))


@given(HOUSES, HOUSES)
def test_levels_of_units_agree_with_twin(a, b):
    texts = [f"{number} {name} st" + f" apt {unit}" * (unit > 0) for number, name, unit in (a, b)]
    assert levels(*texts)[1] == unit_level(a, b)


def test_a_unit_has_no_column_of_its_own():
    assert SPEC.columns == ("street",)
    with pytest.raises(SpecError, match="is read from the street alone"):
        load_spec("persons").restrict(["first_name", "last_name", "dob", "zip", "street", "house_unit"])
    with pytest.raises(ValidationError, match="names no street: name"):
        MatchSpec.model_validate(
            {
                "name": "t",
                "fields": [{"name": "name", "kind": "text"}, FIELDS[1] | {"read_from": ["name"]}],
                "passes": [{"name": "p", "keys": ["name"]}],
            }
        )


def test_a_spec_that_is_written_down_still_keeps_units():
    again = MatchSpec.model_validate_json(SPEC.model_dump_json())
    assert [field.keeps_units for field in again.fields] == [True, False]
    assert again.fingerprint == SPEC.fingerprint
