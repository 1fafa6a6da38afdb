import numpy as np
import polars as pl
import pytest

from core.matching.blocking.shared_passes import key_parts, shared_passes
from core.matching.blocking.wide_passes import ROOM_ROWS, fitting, room_of
from core.matching.records.layout import Layout
from core.matching.records.vocabulary import pack
from core.matching.specs.spec import MatchSpec


def test_room_shrinks_to_nothing_at_a_million_rows() -> None:
    rooms = [room_of(rows) for rows in (0, 200, 500_000, ROOM_ROWS - 1, ROOM_ROWS, 70 * ROOM_ROWS)]
    assert rooms == [4_000_000, 3_999_200, 2_000_000, 4, 0, 0]


@pytest.mark.parametrize(
    ("pairs", "room", "expected"),
    [
        ([], 10, []),
        ([3, 4, 3, 1], 10, [True, True, True, False]),
        ([3, 8, 7], 10, [True, False, True]),
        ([0, 1], 0, [True, False]),
    ],
)
def test_fitting_passes_over_what_is_too_large(pairs: list[int], room: int, expected: list[bool]) -> None:
    assert fitting(pairs, room) == expected


def test_a_pass_that_is_not_in_use_is_neither_looked_for_nor_counted() -> None:
    passes = [
        {"name": "town", "keys": ["city"]},
        {"name": "name", "keys": ["first", "city"]},
        {"name": "sound", "keys": ["sound(first)"], "wide": True},
    ]
    fields = [{"name": "first", "kind": "given_name"}, {"name": "city", "kind": "city"}]
    layout = Layout.of(MatchSpec.model_validate({"name": "t", "fields": fields, "passes": passes}))
    words, vocabulary = pack(pl.DataFrame([{"first": "ann", "city": "york"}] * 2), layout)
    ends = (np.array([0], dtype=np.uint32), np.array([1], dtype=np.uint32))
    some = key_parts(layout.ops, (0, 1))
    assert (len(key_parts(layout.ops).parts), len(some.parts)) == (3, 2)
    assert shared_passes(words, ends, vocabulary, layout).tolist() == [0b111]
    assert shared_passes(words, ends, vocabulary, layout, some).tolist() == [0b011]
