"""The one loop over numbers, and its wrapper."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.matching.jit import kernel


@kernel
def count_vowels(units: NDArray[np.uint8], ends: NDArray[np.int64], out: NDArray[np.int64]) -> None:
    """Of each text, whose units stand before its end, how many are a, e, i, o or u."""
    at = 0
    for text in range(len(ends)):
        out[text] = 0
        while at < ends[text]:
            unit = units[at]
            if unit in (97, 101, 105, 111, 117):
                out[text] += 1
            at += 1


def vowels_of(texts: Sequence[str]) -> list[int]:
    """One number a text."""
    encoded = [text.encode() for text in texts]
    units = np.frombuffer(b"".join(encoded), dtype=np.uint8)
    ends = np.cumsum([len(text) for text in encoded], dtype=np.int64)
    out = np.empty(len(encoded), dtype=np.int64)
    count_vowels(units, ends, out)
    return [int(number) for number in out]


def warm() -> None:
    """Compile for the types that `vowels_of` gives."""
    vowels_of(["mill"])
