"""A model of how receipts come about, learnt from the receipts themselves by EM over counts of levels.

Each receipt has one right explanation, or none that is open: expected counts of what right ones look like make the
next model (Dempster, Laird & Rubin (1977), JRSS B 39:1), beside the counts of a default model as a Dirichlet prior.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.workloads.invoices.rules.block import WAYS, Block
from core.workloads.invoices.rules.explanations import FAMILIES, KINDS, NULL
from core.workloads.invoices.rules.propose import LAG_EDGES, N_LAGS, NAMING, Explanations

Floats = NDArray[np.float64]
RECEIPTS_MIN: Final = 500
"""Below, the default model serves."""
ROUNDS: Final = 8
_KIND_NAMES = ("exact", *KINDS[1:9], *(f"{kind}_unknown" for kind in KINDS[9:12]), "part", "instalment")
PRIOR_RECEIPTS: Final = 60.0
N_WAYS: Final = len(WAYS)

_FAMILY = (0.12, 0.64, 0.03, 0.015, 0.02, 0.02, 0.015, 0.05, 0.03, 0.02, 0.04)
_KIND = (0.76, 0.01, 0.05, 0.01, 0.02, 0.01, 0.035, 0.03, 0.03, 0.01, 0.02, 0.01, 0.02, 0.02)
_NAMING = (0.60, 0.04, 0.035, 0.27, 0.03, 0.02, 0.005)
_TEXT = (0.65, 0.25, 0.10)
_LAG = (0.02, 0.05, 0.14, 0.14, 0.20, 0.17, 0.16, 0.07, 0.03, 0.015, 0.005)


@dataclass(frozen=True, slots=True)
class Model:
    """Probabilities.

    family, kind, naming: of a right explanation. text: of what a receipt's text holds where nothing open is paid. way:
    (6, 6), by the best way in which a receipt points at customers, how it points at the right one. lag, lag_chance: of
    the right set, and of any.
    """

    family: Floats
    kind: Floats
    naming: Floats
    text: Floats
    way: Floats
    lag: Floats
    lag_chance: Floats
    receipts: int = 0

    def to_dict(self) -> dict[str, Any]:
        """By names, rounded, for a file of JSON."""
        named: Mapping[str, tuple[tuple[str, ...], Floats]] = {
            "family": (FAMILIES, self.family),
            "kind": (_KIND_NAMES, self.kind),
            "naming": (NAMING, self.naming),
            "text": (("silent", "unknown_number", "names_items"), self.text),
            "lag": ((*(f"below_{day}_days" for day in LAG_EDGES), "later", "before_issue"), self.lag),
        }
        said = {
            name: dict(zip(levels, np.round(values, 6).tolist(), strict=True))
            for name, (levels, values) in named.items()
        }
        way = {
            best: dict(zip(WAYS, np.round(row, 6).tolist(), strict=True))
            for best, row in zip(WAYS, self.way, strict=True)
        }
        return {"receipts": self.receipts, **said, "way": way}


def default_model(block: Block) -> Model:
    """What is taken for granted before anything is learnt."""
    way = np.zeros((N_WAYS, N_WAYS))
    for best in range(N_WAYS):
        later = np.arange(N_WAYS) >= best
        way[best] = np.where(later, 0.01, 0.0)
        way[best, best] = 1 - 0.01 * (later.sum() - 1)
    return Model(
        family=_shares(_FAMILY),
        kind=_shares(_KIND),
        naming=_shares(_NAMING),
        text=_shares(_TEXT),
        way=way,
        lag=_shares(_LAG),
        lag_chance=_lag_chance(block),
    )


def _shares(values: tuple[float, ...]) -> Floats:
    shares: Floats = np.array(values) / sum(values)
    return shares


def _lag_chance(block: Block) -> Floats:
    """Levels of the date over one item of each line's pool, as if it were drawn."""
    lines = block.lines
    n = len(lines.receipt)
    starts = block.pools.starts
    size = np.maximum(starts[lines.pool + 1] - starts[lines.pool], 1)
    item = starts[lines.pool] + (np.arange(n) * 7919) % size
    lag = np.searchsorted(LAG_EDGES, lines.date - block.items.due[item], side="right")
    lag = np.where(block.items.issued[item] > lines.date, N_LAGS - 1, lag)
    counts = np.bincount(lag, minlength=N_LAGS) + 20.0 * _shares(_LAG)
    shares: Floats = counts / counts.sum()
    return shares


def train(block: Block, found: Explanations) -> Model:
    """A model of these receipts; the default one where they are few. Cost: eight passes over the explanations."""
    default = default_model(block)
    if block.n_receipts < RECEIPTS_MIN:
        return default
    model = default
    for _ in range(ROUNDS):
        bits, null_bits = weigh(block, found, model)
        posterior, null = normalise(found.receipt, bits, null_bits)
        model = _counted(block, found, (posterior, null), default)
    return model


def _counted(block: Block, found: Explanations, posteriors: tuple[Floats, Floats], default: Model) -> Model:
    posterior, null = posteriors
    listed = found.n_items > 0

    def shares(levels: NDArray[np.int64], prior: Floats, weights: Floats) -> Floats:
        counts = np.bincount(levels, weights=weights, minlength=len(prior)) + PRIOR_RECEIPTS * prior
        result: Floats = counts / counts.sum()
        return result

    family = np.bincount(found.family, weights=posterior, minlength=len(FAMILIES)) + PRIOR_RECEIPTS * default.family
    family[NULL] += null.sum()
    pair = block.receipts.best[found.receipt] * N_WAYS + found.way
    counts = np.bincount(pair, weights=posterior, minlength=N_WAYS**2).astype(np.float64)
    way = counts.reshape(N_WAYS, N_WAYS) + PRIOR_RECEIPTS / 2 * default.way
    listed_posterior = posterior[listed]
    return Model(
        family=family / family.sum(),
        kind=shares(found.kind[listed], default.kind, listed_posterior),
        naming=shares(found.naming, default.naming, posterior),
        text=shares(block.receipts.text, default.text, null),
        way=way / way.sum(axis=1, keepdims=True),
        lag=shares(found.lag[listed], default.lag, listed_posterior),
        lag_chance=default.lag_chance,
        receipts=block.n_receipts,
    )


def weigh(block: Block, found: Explanations, model: Model) -> tuple[Floats, Floats]:
    """Bits of each explanation, and of each receipt's having none: whole 1/256 bits."""
    bits = np.sum(list(terms(block, found, model).values()), axis=0) if len(found) else np.zeros(0)
    null = np.log2(model.family[NULL]) + np.log2(model.text)[block.receipts.text]
    return np.round(bits * 256) / 256, np.round(null * 256) / 256


def terms(block: Block, found: Explanations, model: Model) -> dict[str, Floats]:
    """What each explanation weighs for what: bits by name, which add up to its weight."""
    listed = found.n_items > 0
    way = np.log2(np.maximum(model.way, 1e-12))
    lag = np.log2(model.lag / model.lag_chance)
    return {
        "family": np.log2(model.family)[found.family],
        "residual": np.where(listed, np.log2(model.kind)[found.kind], 0.0),
        "naming": np.log2(model.naming)[found.naming],
        "payer": way[block.receipts.best[found.receipt], found.way],
        "date": np.where(listed, lag[found.lag], 0.0),
        "amount_and_references": found.fixed_bits,
    }


def normalise(receipt: NDArray[np.int64], bits: Floats, null_bits: Floats) -> tuple[Floats, Floats]:
    """Posteriors of explanations, sorted by receipt, and of none, each receipt by itself."""
    top = null_bits.copy()
    np.maximum.at(top, receipt, bits)
    weight, null = np.exp2(bits - top[receipt]), np.exp2(null_bits - top)
    total = null + np.bincount(receipt, weights=weight, minlength=len(null_bits))
    return weight / total[receipt], null / total
