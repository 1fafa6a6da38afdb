"""Uncertainty of sums of lognormal figures whose factors share errors; s = standard deviation of the logarithm."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Spread:
    """A total: mean and standard deviation in the unit of the total, and the interval of 95 %."""

    mean: float
    sd: float
    low: float
    high: float


def pedigree_s(factors: Sequence[float], basic: float) -> float:
    """s from pedigree factors and basic uncertainty, each a squared geometric deviation >= 1.

    Source: Weidema & Wesnaes (1996), J. Cleaner Prod. 4:167; ecoinvent.
    """
    return math.sqrt(sum(math.log(each) ** 2 for each in (*factors, basic))) / 2


def class_spread(shares: Sequence[float], factors: Sequence[float]) -> tuple[float, float]:
    """Mean factor and s of a line whose class is one of several. shares: add up to 1; the mean is above 0."""
    mean = sum(p * f for p, f in zip(shares, factors, strict=True))
    variance = sum(p * f * f for p, f in zip(shares, factors, strict=True)) - mean * mean
    return mean, math.sqrt(math.log(1 + variance / (mean * mean)))


def spread_of(
    lines: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]],
    factors: tuple[NDArray[np.float64], NDArray[np.float64]],
    price_s: float = 0.0,
) -> Spread:
    """Mean and spread of sum(x_i * f_group(i)), all of a group sharing its factor's error.

    Args:
        lines: activity x, its s, and the group's number of each line. factors: mean and s of each group's factor.
        price_s: s of an error that all lines share.
    Source: moments of products of lognormals; Fenton (1960), IRE Trans. Commun. Syst. 8:57, for the interval.
    Cost: O(lines).
    """
    sums, parts = group_variances(lines, factors)
    mean = float(factors[0] @ sums)
    variance = math.exp(price_s**2) * (float(parts.sum()) + mean**2) - mean**2
    if mean <= 0:
        return Spread(mean, math.sqrt(max(variance, 0.0)), mean, mean)
    s = math.sqrt(math.log(1 + max(variance, 0.0) / mean**2))
    low, high = (mean * math.exp(-s * s / 2 + sign * 1.96 * s) for sign in (-1, 1))
    return Spread(mean, math.sqrt(max(variance, 0.0)), low, high)


def group_variances(
    lines: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]],
    factors: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Activity of each group, and its part of the variance of the total. Arguments as of `spread_of`."""
    x, own_s, group = lines
    mean_f, s_f = factors
    sums: NDArray[np.float64] = np.bincount(group, weights=x, minlength=len(mean_f)).astype(np.float64)
    own = np.bincount(group, weights=x * x * np.expm1(own_s**2), minlength=len(mean_f))
    parts: NDArray[np.float64] = mean_f**2 * (np.exp(s_f**2) * (sums**2 + own) - sums**2)
    return sums, parts


def grouped(
    lines: Sequence[Mapping[str, float | str]], names: Sequence[str]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """x, s and group's place of lines given one by one."""
    place = {name: number for number, name in enumerate(names)}
    x = np.array([float(line["x"]) for line in lines])
    s = np.array([float(line["s"]) for line in lines])
    return x, s, np.array([place[str(line["group"])] for line in lines], dtype=np.int64)
