"""Random pairs, drawn by a seed: what records that have nothing in common agree on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.matching.jit import kernel
from core.matching.text.hashing import splitmix

_S32 = np.uint64(32)


def random_pairs(n: int, n_pairs: int, seed: int, boundary: int = 0) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Draw pairs of different records (across the sources when `boundary` > 0), the same for the same arguments.

    All pairs there are, when there are no more than `n_pairs`; otherwise drawn by hash, so a pair may repeat.
    """
    n_second = n - boundary if boundary else n
    n_all = boundary * n_second if boundary else n * (n - 1) // 2
    if n_all <= n_pairs:
        if boundary:
            first, second = np.meshgrid(np.arange(boundary), np.arange(boundary, n), indexing="ij")
            return first.ravel().astype(np.uint32), second.ravel().astype(np.uint32)
        upper = np.triu_indices(n, 1)
        return upper[0].astype(np.uint32), upper[1].astype(np.uint32)
    out = np.zeros((2, n_pairs), dtype=np.uint32)
    draw_pairs(n, seed, boundary, out)
    return out[0], out[1]


@kernel
def draw_pairs(n: int, seed: int, boundary: int, out: NDArray[np.uint32]) -> None:
    """Fill out (2, n_pairs) with pairs drawn by hashing a counter."""
    counter, state = np.uint64(0), splitmix(np.uint64(seed))
    for at in range(out.shape[1]):
        a, b = np.uint64(0), np.uint64(0)
        while a == b:
            counter += np.uint64(1)
            drawn = splitmix(state ^ splitmix(counter))
            n_a = np.uint64(boundary) if boundary > 0 else np.uint64(n)
            n_b = np.uint64(n - boundary) if boundary > 0 else np.uint64(n)
            a = ((drawn & np.uint64(0xFFFFFFFF)) * n_a) >> _S32
            b = (((drawn >> _S32) * n_b) >> _S32) + np.uint64(boundary)
        out[0, at] = np.uint32(min(a, b))
        out[1, at] = np.uint32(max(a, b))
