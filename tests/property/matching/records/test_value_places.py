"""Several values of a record: packed alike by both ways, in any order, from cells or columns."""

from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from core.intake.columns import FieldHint, joined, plan_columns
from core.matching.lookup.single_record import RecordPacker
from core.matching.records.pack_text import pack_text
from core.matching.records.vocabulary import pack
from core.matching.standardise.normalise import normalise
from tests.profiles import scaled
from tests.several_values import LAYOUT, MAILS, NUMBERS, PHONES, RECORDS, SPEC, frame

PIECES = st.sampled_from([*PHONES, *MAILS, *NUMBERS, "ünknown 5550199", "ext. 12"])
CELL = st.lists(PIECES, max_size=5).flatmap(
    lambda pieces: st.sampled_from(["; ", ", ", " / ", "|", "\n", " or ", " "]).map(lambda by: by.join(pieces))
)
PACKER = RecordPacker(LAYOUT, {}, {})


# Each cell is packed alone as well, which takes polars a millisecond.
@settings(max_examples=scaled(0.4))
@given(st.lists(CELL, min_size=1, max_size=8))
def test_both_ways_and_one_record_alone_pack_any_cell_alike(cells: list[str]) -> None:
    texts = pl.DataFrame({name: pl.Series([text.strip() or None for text in cells]) for name in SPEC.columns})
    texts = texts.cast(pl.String)
    words, _ = pack_text(texts, LAYOUT)
    slow, _ = pack(normalise(texts, SPEC), LAYOUT)
    for name in ("phone", "mail", "number"):
        span = LAYOUT.words_of(name)
        assert np.array_equal(words[:, span], slow[:, span]), name
        for row, text in enumerate(texts[name].to_list()):
            assert np.array_equal(PACKER.pack({name: text}).words[span], words[row, span]), name


@given(RECORDS, st.sampled_from(["; ", "|", "\n", ", ", " or "]))
def test_the_order_of_values_and_what_stands_between_them_change_no_record(records, between) -> None:
    turned = [(surname, *(cell[::-1] for cell in cells)) for surname, *cells in records]
    expected, _ = pack_text(frame(records), LAYOUT)
    assert np.array_equal(pack_text(frame(turned, between), LAYOUT)[0], expected)


@given(RECORDS)
def test_values_in_columns_of_their_own_are_those_of_one_cell_in_any_order_of_columns(records) -> None:
    hints = [FieldHint("surname", "surname"), FieldHint("phone", "digits", ("mobile", "phone 2"), gathers=True)]
    phones = [(*cells[1], "", "", "")[:3] for cells in records]
    columns = {"id": [str(row) for row in range(len(records))], "surname": [each[0] for each in records]}
    columns |= {name: [each[at] or None for each in phones] for at, name in enumerate(("Mobile", "phone", "phone_2"))}
    expected, _ = pack_text(frame(records), LAYOUT)
    span = LAYOUT.words_of("phone")
    for names in (list(columns), [*columns][::-1]):
        texts = pl.DataFrame({name: columns[name] for name in names}, schema=dict.fromkeys(names, pl.String))
        plan = plan_columns(names, __file__, "id", None, hints)
        read = texts.select(**joined({name: pl.col(name) for name in names}, plan))
        filled = read.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in ("mail", "number"))
        assert np.array_equal(pack_text(filled, LAYOUT)[0][:, span], expected[:, span])
