"""The clairvoyant optimum: what nobody beats who knows the whole load and lives under the same start-up and limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.scaling.simulation.load import Batch, Limits
from core.scaling.simulation.world import BACKOFF_S


@dataclass(frozen=True, slots=True)
class Bound:
    """The cheapest number of consumers and what it costs at least."""

    consumers: int
    drained_s: float
    consumer_s: float
    cost: float


def optimum(batches: Sequence[Batch], limits: Limits, per_consumer_s: float) -> Bound:
    """A lower bound of every schedule's cost, over all numbers of consumers up to the limit.

    With at most k consumers at a time: all work after any instant takes at least its k-th part, nobody works before the
    first start-up, a batch cannot end before its attempts and their pauses; and consumers cost at least the work and k
    start-ups. It may not be attainable, so what is within 1.2 of it is within 1.2 of the optimum.
    Cost: O(batches + consumers).
    """
    first_s = batches[0].at_s
    work_s = sum(batch.work_s * batch.attempts for batch in batches)
    chain_s = max(batch.at_s + _alone_s(batch) for batch in batches) - first_s
    tails = _tails(batches)

    def bound(k: int) -> Bound:
        by_work_s = max(max(at_s, limits.startup_s) + left_s / k for at_s, left_s in tails) - first_s
        drained_s = max(by_work_s, chain_s)
        consumer_s = work_s + k * limits.startup_s
        return Bound(k, drained_s, consumer_s, drained_s + per_consumer_s * consumer_s)

    return min((bound(k) for k in range(1, limits.max_consumers + 1)), key=lambda each: each.cost)


def _alone_s(batch: Batch) -> float:
    pauses_s = sum(BACKOFF_S * 2.0**number for number in range(batch.attempts - 1))
    return batch.attempts * batch.work_s + pauses_s


def _tails(batches: Sequence[Batch]) -> list[tuple[float, float]]:
    """For each instant at which something comes: the work of everything that comes then or later."""
    tails: list[tuple[float, float]] = []
    left_s = 0.0
    for batch in reversed(batches):
        left_s += batch.work_s * batch.attempts
        tails.append((batch.at_s, left_s))
    return tails
