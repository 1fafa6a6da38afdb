"""Several values of one field in a record: which place each has, and the values as numbers.

The values of a record stand in ascending order, each once, what is empty behind them. So their order in a cell, and
that of the columns they came from, changes no record and no answer.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.matching.records.layout import Layout
from core.matching.specs.spec import FieldSpec

_ONE = np.uint64(1)


def field_values(words: NDArray[np.uint32], layout: Layout, field: str) -> NDArray[np.uint64]:
    """Per record and value one uint64 that is equal exactly when the first two words of a value are; 0 when missing.

    Returns:
        (n,); (n, values) where the field has room for several.
    """
    spans = layout.value_words(field)
    found = [_numbers(words[:, span]) for span in spans] or [np.zeros(len(words), dtype=np.uint64)]
    return found[0] if len(found) == 1 else np.stack(found, axis=1)


def _numbers(columns: NDArray[np.uint32]) -> NDArray[np.uint64]:
    low = columns[:, 0].astype(np.uint64)
    return low | (columns[:, 1].astype(np.uint64) << np.uint64(32)) if columns.shape[1] > 1 else low


def one_value(field: FieldSpec) -> FieldSpec:
    """The field as it is where a record has one value of it."""
    return field.model_copy(update={"values": 1})


def relaid(words: NDArray[np.uint32], old: Layout, new: Layout) -> NDArray[np.uint32]:
    """Records (n, old.stride) under a layout that has room for at least as many values of each field."""
    found = np.zeros((len(words), new.stride), dtype=np.uint32)
    for field in old.names:
        span = old.words_of(field)
        start = new.offset[field]
        found[:, start : start + span.stop - span.start] = words[:, span]
    return found


def in_order(values: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Bring the values of records into their places.

    Args:
        values: (n, k, 2) the words of k values of each record, all zero where there is none.
    Returns:
        The same shape.
    """
    numbers = values[..., 0].astype(np.uint64) | (values[..., 1].astype(np.uint64) << np.uint64(32))
    # One less: what is missing becomes the greatest number, and stands last.
    ordered = np.sort(numbers - _ONE, axis=1)
    doubled = np.zeros(ordered.shape, dtype=np.bool_)
    doubled[:, 1:] = ordered[:, 1:] == ordered[:, :-1]
    ordered = np.sort(np.where(doubled, ~np.uint64(0), ordered), axis=1) + _ONE
    return np.stack([ordered & np.uint64(0xFFFFFFFF), ordered >> np.uint64(32)], axis=-1).astype(np.uint32)
