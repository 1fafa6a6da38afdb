"""Where two texts differ, letter by letter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

COMPARED_MAX = 200


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text; `differs`: the other one lacks it."""

    text: str
    differs: bool


def pieces(a: str, b: str) -> tuple[list[Piece], list[Piece]]:
    """Both texts in pieces. Capitals are no difference; texts over COMPARED_MAX letters differ as a whole, or not.

    Cost: quadratic in the length, at most a millisecond.
    """
    if a.casefold() == b.casefold():
        return [Piece(a, False)], [Piece(b, False)]
    if max(len(a), len(b)) > COMPARED_MAX or len(a.lower()) != len(a) or len(b.lower()) != len(b):
        return [Piece(a, True)], [Piece(b, True)]
    steps = SequenceMatcher(None, a.lower(), b.lower(), autojunk=False).get_opcodes()
    return _side(a, [(kind, lo, hi) for kind, lo, hi, _, _ in steps]), _side(
        b, [(kind, lo, hi) for kind, _, _, lo, hi in steps]
    )


def _side(text: str, steps: Sequence[tuple[str, int, int]]) -> list[Piece]:
    return [Piece(text[lo:hi], kind != "equal") for kind, lo, hi in steps if hi > lo]
