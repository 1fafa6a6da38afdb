import uuid

import numpy as np
import polars as pl
import pytest

from core.matching.clustering.entity_ids import entity_ids
from core.matching.clustering.survivorship import golden
from core.matching.specs.spec import load_spec
from core.matching.text.hashing import flat_bytes

SPEC = load_spec("persons").restrict(["first_name", "last_name", "dob", "ssn", "street", "zip"])[0]


def members(*rows: tuple[str, int, str | None]) -> pl.DataFrame:
    entities, numbers, names = zip(*rows, strict=True)
    return pl.DataFrame({"entity_id": entities, "row": numbers, "first_name": names, "note": "x"})


def best(*names: str | None, policy: str = "most_frequent") -> tuple[str | None, int | None]:
    frame = golden(members(*((("e"), at, name) for at, name in enumerate(names))), SPEC, {"first_name": policy})
    return frame["first_name"][0], frame["first_name__row"][0]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("Ann", "Bob", "ann "), ("ann ", 2)),
        (("Ann", "Anne"), ("Anne", 1)),
        (("Bob", "Ann"), ("Bob", 0)),
        ((None, "Ann", None), ("Ann", 1)),
        ((None, None), (None, None)),
        (("", "Ann"), ("Ann", 1)),
        ((None,), (None, None)),
        (("Ann",), ("Ann", 0)),
    ],
)
def test_golden_takes_the_most_frequent_then_longest_then_first(names, expected):
    assert best(*names) == expected


def test_golden_settles_ties_by_id_whatever_the_rows():
    frame = members(("e", 5, "Bob"), ("e", 2, "Ann"), ("f", 1, "Eve")).with_columns(id=pl.Series(["1", "2", "3"]))
    assert golden(frame, SPEC).select("first_name", "first_name__row").rows() == [("Eve", 1), ("Bob", 5)]


def test_golden_takes_the_most_complete_where_told_to():
    assert best("A", "A", "Annabel", policy="most_complete") == ("Annabel", 2)


def test_golden_has_one_row_per_entity_in_order_of_rows():
    frame = golden(members(("b", 3, "Bob"), ("a", 1, "Ann"), ("b", 0, "Rob"), ("c", 2, None)), SPEC)
    assert frame["entity_id"].to_list() == ["b", "a", "c"]
    assert frame["n_members"].to_list() == [2, 1, 1]
    assert frame.columns == ["entity_id", "n_members", "first_name", "first_name__row"]


def test_golden_of_nothing_is_nothing():
    assert golden(members(("a", 0, "Ann")).clear(), SPEC).height == 0


def test_entity_ids_are_uuid8_of_record_id_and_namespace():
    flat = flat_bytes(pl.Series(["17", "18"]))
    rows = np.array([0, 1, 0], dtype=np.uint32)
    ids = entity_ids(rows, flat, "persons").to_list()
    assert ids[0] == ids[2]
    assert len(set(ids)) == 2
    assert entity_ids(rows[:1], flat, "suppliers")[0] not in ids
    for text in ids:
        parsed = uuid.UUID(text)
        assert str(parsed) == text
        assert parsed.version == 8
        assert parsed.variant == uuid.RFC_4122
    assert ids[0] == "71cb40e4-78f2-8c7b-a1e3-3d1017bd4868"
