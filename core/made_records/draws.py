"""Randomness by counter: a draw is a function of (seed, what is drawn, which record), never of what was drawn before.

Any record can therefore be made alone, in any order and in any chunk, with the same outcome; and the stream does not
depend on the version of a library's generator.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


@dataclass(frozen=True, slots=True)
class Draws:
    """All draws of one data set.

    `name` says what is drawn (draws of different names are independent), `keys` for whom: (n,) integers.
    Source of the mixing function: Steele, Lea & Flood (2014), SplitMix64.
    """

    seed: int

    def bits(self, name: str, keys: NDArray[np.int64]) -> NDArray[np.uint64]:
        """(n,) uniform 64-bit words."""
        digest = hashlib.blake2b(f"{self.seed}:{name}".encode(), digest_size=8).digest()
        word: NDArray[np.uint64] = keys.astype(np.uint64) * _GAMMA
        word += np.array([int.from_bytes(digest, "little")], dtype=np.uint64)
        word ^= word >> np.uint64(30)
        word *= _MIX_1
        word ^= word >> np.uint64(27)
        word *= _MIX_2
        word ^= word >> np.uint64(31)
        return word

    def unit(self, name: str, keys: NDArray[np.int64]) -> NDArray[np.float64]:
        """(n,) uniform in [0, 1)."""
        return (self.bits(name, keys) >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def below(self, name: str, keys: NDArray[np.int64], limit: int | NDArray[np.int64]) -> NDArray[np.int64]:
        """(n,) uniform in 0 .. limit - 1; `limit` is one number or (n,), each at least 1."""
        return (self.unit(name, keys) * limit).astype(np.int64)

    def flag(self, name: str, keys: NDArray[np.int64], share: float | NDArray[np.float64]) -> NDArray[np.bool_]:
        """(n,) true with probability `share`, one number or (n,)."""
        flags: NDArray[np.bool_] = self.unit(name, keys) < share
        return flags

    def pick(self, name: str, keys: NDArray[np.int64], cumulative: NDArray[np.float64]) -> NDArray[np.int64]:
        """(n,) index drawn by cumulative weights that end at 1 (see `cumulative`)."""
        return np.searchsorted(cumulative, self.unit(name, keys), side="right")

    def shuffled(self, name: str, positions: NDArray[np.int64], size: int) -> NDArray[np.int64]:
        """(n,) what stands at each position of a random order of 0 .. size - 1; different at different positions.

        Cost: some 150 ns each, and no memory for the order.
        Source: the generalised Feistel network with cycle walking of Black & Rogaway (2002), CT-RSA.
        """
        height = math.isqrt(max(size - 1, 0)) + 1
        width = -(-size // height)
        order = self._mixed(name, positions, height, width)
        # The network orders height * width numbers, a few more than asked for: what falls beyond goes round again.
        while len(beyond := np.flatnonzero(order >= size)):
            order[beyond] = self._mixed(name, order[beyond], height, width)
        return order

    def _mixed(self, name: str, numbers: NDArray[np.int64], height: int, width: int) -> NDArray[np.int64]:
        left, right = np.divmod(numbers, width)
        for turn in range(3):
            left = (left + self.below(f"{name} {turn} left", right, height)) % height
            right = (right + self.below(f"{name} {turn} right", left, width)) % width
        return left * width + right


def cumulative(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights as cumulative shares; the last is exactly 1, so that no draw falls beyond."""
    shares: NDArray[np.float64] = np.cumsum(weights) / np.sum(weights)
    shares[-1] = 1.0
    return shares
