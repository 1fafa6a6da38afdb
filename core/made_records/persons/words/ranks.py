"""How often the k-th most frequent word occurs: a listed head, and a tail of any length in closed form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.made_records.draws import Draws


@dataclass(frozen=True, slots=True)
class Ranks:
    """Shares of words by rank, from 0. The words of the head have the cumulative shares `head`, whose last is `listed`.

    In the tail, ranks len(head) .. n_words - 1, the share falls with rank^-(1 + 1 / falls): a bounded Pareto
    distribution, drawn by its inverse with multiplications only, so that every machine draws the same word.
    """

    head: NDArray[np.float64]
    listed: float
    n_words: int
    falls: int

    def pick(self, name: str, keys: NDArray[np.int64], draws: Draws) -> NDArray[np.int64]:
        """(n,) ranks. Cost: some 40 ns a draw, however many words there are."""
        return self.at(draws.unit(name, keys))

    def at(self, unit: NDArray[np.float64]) -> NDArray[np.int64]:
        """(n,) the rank that holds each point of [0, 1)."""
        high, low = self._bounds()
        beyond = np.maximum(unit - self.listed, 0.0) / (1.0 - self.listed)
        base = 1.0 / (high - beyond * (high - low))
        rank = base.copy()
        for _ in range(self.falls - 1):
            rank *= base
        tail = np.clip(rank.astype(np.int64), len(self.head), self.n_words - 1)
        return np.where(unit < self.listed, np.searchsorted(self.head[:-1], unit, side="right"), tail)

    def shares(self, ranks: NDArray[np.int64]) -> NDArray[np.float64]:
        """(n,) probability of each rank; in the tail to one part in a thousand."""
        high, low = self._bounds()
        power = -1.0 / self.falls
        of_head = np.diff(self.head, prepend=0.0)[np.minimum(ranks, len(self.head) - 1)]
        density = (1.0 - self.listed) / (high - low) * -power * (ranks + 0.5) ** (power - 1.0)
        return np.where(ranks < len(self.head), of_head, density)

    def _bounds(self) -> tuple[float, float]:
        power = -1.0 / self.falls
        return len(self.head) ** power, self.n_words**power


def rank_shares(n_listed: int, n_words: int, *, shift: float, power: float, listed: float, falls: int) -> Ranks:
    """Shares of (rank + shift)^-power over the listed words, which have `listed` in all, and a tail (see `Ranks`)."""
    weights = (np.arange(1.0, n_listed + 1.0) + shift) ** -power
    head: NDArray[np.float64] = np.cumsum(weights) * (listed / weights.sum())
    head[-1] = listed
    return Ranks(head, listed, n_words, falls)
