"""Level patterns in words."""

from __future__ import annotations

import polars as pl

from core.linkage.workspace import Array
from core.matching.compare import levels_of
from core.matching.layout import Layout
from core.matching.levels import MISSING


def pattern_numbers(texts: pl.Series, layout: Layout) -> Array:
    """Undo `pattern_texts`: (n,) u64.

    Raises:
        ValueError, KeyError: a text does not fit the layout.
    """
    labels = []
    for field in layout.spec.fields:
        levels = ["differ", *(level.label for level in reversed(field.levels))]
        labels.append(
            {f"{field.name}={label}": at + 1 for at, label in enumerate(levels)} | {f"{field.name}=missing": 0}
        )
    places = [int(place) for place in layout.ops.place]
    distinct = texts.unique()
    numbers = [
        sum(found[part] * place for found, part, place in zip(labels, text.split(","), places, strict=True))
        for text in distinct
    ]
    return texts.replace_strict(distinct, pl.Series(numbers, dtype=pl.UInt64), return_dtype=pl.UInt64).to_numpy()


def pattern_texts(patterns: Array, layout: Layout) -> pl.Series:
    """Write each pattern as `first_name=exact,dob=differ,...`.

    Returns:
        String, one per pattern.
    Cost: 1 us a pattern.
    """
    levels = levels_of(patterns, layout)
    columns = []
    for at, field in enumerate(layout.spec.fields):
        labels = ["differ", *(level.label for level in reversed(field.levels)), "missing"]
        place = levels[:, at].astype("uint32")
        place[levels[:, at] == MISSING] = len(labels) - 1
        columns.append(pl.Series(field.name, [f"{field.name}={label}" for label in labels]).gather(place))
    return pl.DataFrame(columns).select(pattern=pl.concat_str(pl.all(), separator=",")).to_series()
