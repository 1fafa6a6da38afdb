"""The same load under each rule, and the bound beside them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.scaling.policy import for_batches
from core.scaling.simulation.bound import Bound, optimum
from core.scaling.simulation.load import Batch, Limits
from core.scaling.simulation.rules import Fixed, Keda, Ours, Rule, Threshold
from core.scaling.simulation.world import Outcome, World

# A consumer for ten seconds is worth a second of waiting.
PER_CONSUMER_S = 0.1


@dataclass(frozen=True, slots=True)
class Terms:
    """What is compared under: limits of the world, our drain target and pause between looks, the price, the seed."""

    limits: Limits
    drain_target_s: float = 60.0
    tick_s: float = 5.0
    per_consumer_s: float = PER_CONSUMER_S
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Comparison:
    """Outcomes of ours, the rivals and one who orders what the bound names, in this order; and the bound."""

    outcomes: list[Outcome]
    bound: Bound
    terms: Terms

    def rows(self) -> list[dict[str, Any]]:
        """One a rule, for tables."""
        price = self.terms.per_consumer_s
        rows = [
            {
                "rule": one.rule,
                "drained_s": round(one.drained_s, 1),
                "consumer_s": round(one.consumer_s, 1),
                "wait_p95_s": round(one.wait_s(0.95), 1),
                "wait_max_s": round(one.waits_s[-1], 1),
                "peak": one.peak,
                "oscillations": one.oscillations,
                "cost": round(one.cost(price), 1),
                "of_bound": round(one.cost(price) / self.bound.cost, 3),
            }
            for one in self.outcomes
        ]
        bound = self.bound
        least: dict[str, Any] = dict.fromkeys(rows[0])
        least |= {"rule": "bound", "drained_s": round(bound.drained_s, 1), "consumer_s": round(bound.consumer_s, 1)}
        return [*rows, least | {"peak": bound.consumers, "cost": round(bound.cost, 1), "of_bound": 1.0}]


def compare(batches: Sequence[Batch], terms: Terms) -> Comparison:
    """Run the load under each rule. Cost: about 10 microseconds a batch and rule, and as much a tick."""
    limits = terms.limits
    mean_s = sum(batch.work_s for batch in batches) / len(batches)
    bound = optimum(batches, limits, terms.per_consumer_s)
    policy = for_batches(max_consumers=limits.max_consumers, drain_target_s=terms.drain_target_s)
    rules: list[Rule] = [
        Ours(policy, terms.tick_s),
        Threshold(limits.max_consumers),
        Keda(limits.max_consumers, terms.drain_target_s / mean_s),
        Fixed(bound.consumers),
    ]
    outcomes = [World(rule, limits, random.Random(terms.seed)).run(batches) for rule in rules]
    return Comparison(outcomes, bound, terms)
