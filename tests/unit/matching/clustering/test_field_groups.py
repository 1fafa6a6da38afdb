import polars as pl
import pytest

from core.matching.clustering.field_groups import groups_of
from core.matching.clustering.survivorship import golden
from core.matching.specs.spec import load_spec

SPEC = load_spec("persons")
HOME = ("street", "city", "state", "zip")
NAMES = ("first_name", "last_name")


def best(
    columns: tuple[str, ...], *rows: tuple[str | None, ...], **policies: str
) -> list[tuple[str | None, int | None]]:
    members = pl.DataFrame(
        [("e", number, *row) for number, row in enumerate(rows)],
        schema={"entity_id": pl.String, "row": pl.UInt32} | dict.fromkeys(columns, pl.String),
        orient="row",
    )
    found = golden(members, SPEC, policies).row(0, named=True)
    return [(found[name], found[f"{name}__row"]) for name in columns]


def test_groups_are_the_home_without_its_telephone_and_the_name():
    assert groups_of(SPEC, SPEC.columns) == [HOME, NAMES]
    assert groups_of(load_spec("organisations"), ("name", "phone", "street", "zip", "country")) == [
        ("street", "zip", "country")
    ]
    assert groups_of(SPEC, ("first_name", "street", "phone")) == []


def test_an_address_is_taken_whole_where_people_moved():
    old, new = ("4 Fir Ln", "Bridgeport", "CT", "06604"), ("1200 Canyon Road", "Reno", "NV", "89501")
    assert best(HOME, old, new) == [(value, 1) for value in new]
    assert best(HOME, old, new, old) == [(old[0], 0), (old[1], 0), (old[2], 0), (old[3], 0)]


def test_a_name_is_taken_from_one_row():
    assert best(NAMES, ("Jo", "Brandenburg"), ("Josephine", "Ito")) == [("Jo", 0), ("Brandenburg", 0)]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        # A part is filled from a row that agrees in the others.
        ([("4 Fir Ln", None), ("4 FIR LN", "Reno"), ("9 Elm", "Lynn")], [("4 Fir Ln", 0), ("Reno", 1)]),
        ([("4 Fir Ln", None), ("4 Fir Ln", None), ("4 Fir Ln", "Reno")], [("4 Fir Ln", 0), ("Reno", 2)]),
        # Never from one that agrees in nothing.
        ([("4 Fir Ln", None), (None, "Reno")], [("4 Fir Ln", 0), (None, None)]),
        ([(" ", None), ("", "Reno")], [(None, None), ("Reno", 1)]),
        ([(None, None), (None, None)], [(None, None), (None, None)]),
    ],
)
def test_a_missing_part_is_filled_from_a_row_that_agrees(rows, expected):
    assert best(("street", "city"), *rows) == expected


def test_parts_of_two_rows_that_only_share_one_are_not_mixed_by_filling():
    rows = [(None, None, "RI", None)] * 2 + [("4 Fir Ln", "Lynn", "RI", None), ("9 Elm", "Bristol", "RI", "02809")]
    assert best(HOME, *rows) == [("9 Elm", 3), ("Bristol", 3), ("RI", 0), ("02809", 3)]


def test_what_some_row_has_whole_stays_as_each_field_is_settled():
    rows = [("4 Fir Ln", "Lynn"), ("4 Fir Ln", "Bristol"), ("12345 Long Road", "Lynn")]
    assert best(("street", "city"), *rows) == [("4 Fir Ln", 0), ("Lynn", 0)]


def test_a_field_with_a_policy_is_settled_by_itself():
    rows = [("Jo", "Brandenburg"), ("Josephine", "Ito")]
    assert best(NAMES, *rows, first_name="most_complete") == [("Josephine", 1), ("Brandenburg", 0)]


def test_entities_keep_their_order_beside_each_other():
    members = pl.DataFrame(
        {
            "entity_id": ["b", "a", "b", "a", "c"],
            "row": [0, 1, 2, 3, 4],
            "street": ["1 A", "2 B", "22222 C", "2 B", "3 D"],
            "city": ["Long Town", "Y", "Z", "Y", None],
        }
    )
    found = golden(members, SPEC)
    assert found["entity_id"].to_list() == ["b", "a", "c"]
    assert found.select("street", "city").rows() == [("1 A", "Long Town"), ("2 B", "Y"), ("3 D", None)]
