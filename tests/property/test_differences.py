"""Marked differences say all of both texts, and mark only what the other one lacks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.pages.differences import COMPARED_MAX, pieces

TEXTS = st.text(st.characters(codec="utf-8"), max_size=30)


@given(TEXTS, TEXTS)
def test_pieces_make_up_both_texts_and_agree_where_nothing_is_marked(a: str, b: str) -> None:
    sides = pieces(a, b)
    assert ["".join(piece.text for piece in side) for side in sides] == [a, b]
    same = ["".join(piece.text for piece in side if not piece.differs).casefold() for side in sides]
    assert same[0] == same[1]
    assert (a.casefold() == b.casefold()) == (not any(piece.differs for side in sides for piece in side))


def test_pieces_mark_the_letters_that_differ() -> None:
    (a, b) = pieces("Smith", "SMYTHE")
    assert [(piece.text, piece.differs) for piece in a] == [("Sm", False), ("i", True), ("th", False)]
    assert [(piece.text, piece.differs) for piece in b] == [("SM", False), ("Y", True), ("TH", False), ("E", True)]
    long = "x" * (COMPARED_MAX + 1)
    assert pieces(long, "y")[0][0].differs
