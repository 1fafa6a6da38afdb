"""Two editions held against each other, figure by figure."""

from __future__ import annotations

import statistics
from fractions import Fraction
from typing import Any

from core.workloads.emissions.factors.dataset import Dataset, Factor
from core.workloads.emissions.rules.gases import co2e


def compare(before: Dataset, after: Dataset, limit: int) -> dict[str, Any]:
    """Figures by scheme, code and unit; masses of gases under AR5.

    Returns: counts, the median ratio of all figures in both, and the `limit` whose ratio is furthest from 1.
    """
    old, new = _figures(before), _figures(after)
    both = sorted(old.keys() & new.keys())
    ratios = {place: new[place] / old[place] for place in both if old[place]}
    furthest = sorted(ratios, key=lambda place: (-max(ratios[place], 1 / ratios[place] if ratios[place] else 0), place))
    return {
        "both": len(both),
        "only_before": len(old.keys() - new.keys()),
        "only_after": len(new.keys() - old.keys()),
        "changed": sum(old[place] != new[place] for place in both),
        "median_ratio": f"{float(statistics.median(ratios.values())):.3f}" if ratios else None,
        "moved": [
            {
                "code": code,
                "unit": unit,
                "before": f"{float(old[scheme, code, unit]):.6g}",
                "after": f"{float(new[scheme, code, unit]):.6g}",
                "ratio": f"{float(ratios[scheme, code, unit]):.3f}",
            }
            for scheme, code, unit in furthest[:limit]
            if ratios[scheme, code, unit] != 1
        ],
    }


def _figures(dataset: Dataset) -> dict[tuple[str, str, str], Fraction]:
    found = {}
    for factor in dataset.factors:
        if (value := _kg(factor)) is not None:
            found[factor.scheme, factor.code, factor.unit] = value
    return found


def _kg(factor: Factor) -> Fraction | None:
    if factor.gases:
        return co2e({gas: Fraction(whole) for gas, whole, _ in factor.gases}, "AR5")
    return None if factor.value is None else Fraction(factor.value)
