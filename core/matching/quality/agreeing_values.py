"""Which of the several values of two records are those that agree best: what an explanation shows of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.matching.compare.patterns import compare_pairs
from core.matching.records.layout import Layout
from core.matching.records.value_places import field_values, one_value
from core.matching.records.vocabulary import Vocabulary, packed_field
from core.matching.specs.levels import MISSING
from core.matching.specs.passes import PassSpec
from core.matching.specs.spec import FieldSpec, MatchSpec
from core.matching.standardise.several_values import SEPARATOR


def agreeing(
    sides: tuple[Sequence[str], Sequence[str]], field: FieldSpec, placeholders: NDArray[np.uint64]
) -> tuple[str | None, str | None]:
    """One value of each side, those that agree best; all of them where none agrees, None where there is none.

    Args:
        sides: normalised values of two records. placeholders: packed values that count as missing.
    """
    alone = one_value(field).model_copy(update={"made_of": ()})
    # A spec has a pass; this one is not run.
    layout = Layout.of(MatchSpec(name="alone", fields=(alone,), passes=(PassSpec(name="alone", keys=(field.name,)),)))
    values = pl.Series([*sides[0], *sides[1]], dtype=pl.String)
    words = np.zeros((len(values), layout.stride), dtype=np.uint32)
    words[:, layout.words_of(field.name)] = packed_field(alone, values)
    words[np.isin(field_values(words, layout, field.name), placeholders)] = 0
    pairs = list(product(range(len(sides[0])), range(len(sides[0]), len(values))))
    left, right = (np.array([pair[side] for pair in pairs], dtype=np.uint32) for side in range(2))
    levels = compare_pairs(words, Vocabulary.of_strings([""]), layout, left, right)[:, 0].astype(np.int64)
    levels[levels == MISSING] = 0
    if not levels.any():
        whole = [SEPARATOR.join(side) or None for side in sides]
        return whole[0], whole[1]
    best = pairs[int(levels.argmax())]
    return values[best[0]], values[best[1]]
