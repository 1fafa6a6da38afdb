"""Scored pairs in columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

_DTYPES = {
    "left": np.uint32,
    "right": np.uint32,
    "bits": np.float32,
    "tf_bits": np.float32,
    "pattern": np.uint64,
    "passes": np.uint32,
}


@dataclass(frozen=True, eq=False)
class Edges:
    """Pairs of rows with left < right; all arrays have one length.

    `bits` is the posterior log-odds that both are one person; `tf_bits` the part of the evidence that came from how
    rare the agreeing values are; `passes` has bit p set when the pair shares the key of pass p.
    """

    left: NDArray[np.uint32]
    right: NDArray[np.uint32]
    bits: NDArray[np.float32]
    tf_bits: NDArray[np.float32]
    pattern: NDArray[np.uint64]
    passes: NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.left)

    @classmethod
    def empty(cls) -> Edges:
        """No edge at all."""
        return cls(*(np.zeros(0, dtype=dtype) for dtype in _DTYPES.values()))

    def take(self, index: NDArray[np.bool_] | NDArray[np.int64]) -> Edges:
        """Some of the edges, by mask or positions."""
        return Edges(*(getattr(self, name)[index] for name in _DTYPES))

    def to_frame(self) -> pl.DataFrame:
        """One column per array."""
        return pl.DataFrame({name: getattr(self, name) for name in _DTYPES})

    @classmethod
    def from_frame(cls, frame: pl.DataFrame) -> Edges:
        """Undo `to_frame`."""
        return cls(*(frame[name].to_numpy().astype(dtype, copy=False) for name, dtype in _DTYPES.items()))


def join_edges(parts: Sequence[Edges]) -> Edges:
    """All edges of all parts, one part behind the other."""
    if len(parts) < 2:
        return parts[0] if parts else Edges.empty()
    columns = {name: np.concatenate([getattr(each, name) for each in parts]) for name in _DTYPES}
    return Edges(*(columns[name] for name in _DTYPES))


def merge_edges(parts: Sequence[Edges]) -> Edges:
    """Unite the edges of all passes: each pair once, ascending by (left, right), its pass bits ORed.

    A pair weighs the same in whichever pass it is met, so any copy's weight serves.
    """
    whole = join_edges(parts)
    pair = (whole.left.astype(np.uint64) << np.uint64(32)) | whole.right.astype(np.uint64)
    order = np.argsort(pair, kind="stable")
    pair = pair[order]
    if len(pair) == 0:
        return Edges.empty()
    first = np.flatnonzero(np.concatenate([[True], pair[1:] != pair[:-1]]))
    passes = np.bitwise_or.reduceat(whole.passes[order], first)
    merged = whole.take(order[first])
    return Edges(merged.left, merged.right, merged.bits, merged.tf_bits, merged.pattern, passes)
