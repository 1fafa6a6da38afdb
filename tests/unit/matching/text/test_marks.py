"""Marks behind a string: written, read, and taken off."""

import numpy as np
import polars as pl

from core.matching.text.marks import EXPLICIT, MARK_BITS, bare_of, mark_texts, marks_of, split_marks, with_marks


def test_marks_are_written_in_one_order():
    assert with_marks("ann", {"x": "2", "m": "r", "s": "1"}) == with_marks("ann", {"s": "1", "x": "2", "m": "r"})
    assert with_marks("ann", {}) == "ann"
    assert bare_of(with_marks("ann", {"m": "r"})) == bare_of("ann") == "ann"


def test_each_mark_has_bits_of_its_own():
    spans = [{bit for bit in range(64) if mark.mask >> bit & 1} for mark in MARK_BITS.values()]
    assert sum(map(len, spans)) == len(set().union(*spans))
    assert not any(mark.mask & EXPLICIT for mark in MARK_BITS.values())


def test_bits_say_which_value_a_mark_has():
    for name, tag, values in (("suffix", "s", 16), ("birth_order", "o", 12), ("sex", "x", 2)):
        found = {marks_of(with_marks("", {tag: str(value)})) for value in range(1, values + 1)}
        assert len(found) == values
        assert all(bits & MARK_BITS[name].mask == bits for bits in found)
    assert marks_of(with_marks("ann", {"m": "r"})) & EXPLICIT
    assert not marks_of(with_marks("ann", {"n": "r"})) & EXPLICIT
    assert marks_of("ann") == 0


def test_initials_of_other_scripts_are_marks_too():
    assert marks_of(with_marks("", {"m": "и"})) & MARK_BITS["middle"].mask
    assert mark_texts(with_marks("ann", {"m": "r", "s": "2"})) == {"middle": "r", "suffix": "2"}
    assert mark_texts(with_marks("ann", {"n": "r"})) == {}


def test_a_column_is_split_into_bare_strings_and_bits():
    texts = ["", with_marks("", {"o": "1"}), "ann", with_marks("ann", {"m": "r"})]
    column = pl.Series(texts)
    bare, marks = split_marks(column)
    assert bare.to_list() == ["", "", "ann", "ann"]
    assert marks.tolist() == [*map(marks_of, texts), marks_of(texts[1]) | marks_of(texts[3])]
    assert column.to_list() == texts


def test_a_column_without_marks_has_no_bits():
    column = pl.Series(["", "ann"])
    bare, marks = split_marks(column)
    assert bare is column
    assert len(marks) == 0
    assert marks.dtype == np.uint64
