"""Slow twins of the kernels of this package: plain Python over lists, for tests."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, pairwise, product
from math import comb, gcd

_FOLDED = str.maketrans("OQILSBZ", "0011582")


def subsets_of(amounts: Sequence[int], lo: int, hi: int, most_items: int) -> set[int]:
    """Masks of all non-empty subsets of up to `most_items` amounts with a sum in [lo, hi]."""
    return {
        sum(1 << place for place in chosen)
        for size in range(1, min(most_items, len(amounts)) + 1)
        for chosen in combinations(range(len(amounts)), size)
        if lo <= sum(amounts[place] for place in chosen) <= hi
    }


def sets_beside(amounts: Sequence[int], named: set[int], total: int) -> set[frozenset[int]]:
    """All named places and others with amounts that come to a total; beside too little, credit notes only.

    More than one other only where chance makes less than a twentieth of a set of so many, more than four only where it
    does so of any number.
    """
    rest = total - sum(amounts[place] for place in named)
    others = [place for place, amount in enumerate(amounts) if place not in named and (rest > 0 or amount < 0)]
    of_others = sorted(amounts[place] for place in others)
    most = 1
    while most < min(4, len(others)) and _chance(of_others, most + 1) < 0.05:
        most += 1
    if most == 4 and 4 < len(others) <= 22 and _any_chance(of_others) < 0.05:
        most = len(others)
    return {
        frozenset(named.union(more))
        for size in range(1, most + 1)
        for more in combinations(others, size)
        if sum(amounts[place] for place in more) == rest
    }


def _on_grids(amounts: Sequence[int]) -> Iterator[list[int]]:
    for grid in (1, 100, 500, 2_500, 10_000):
        yield [amount for amount in amounts if amount % grid == 0]


def _chance(amounts: Sequence[int], size: int) -> float:
    """Expected sets of so many of the ascending amounts that have one given sum: the most over those on a grid."""
    found = [0.0]
    for on_grid in _on_grids(amounts):
        if len(on_grid) >= size:
            reach = max(sum(on_grid[len(on_grid) - size :]) - sum(on_grid[:size]), on_grid[-1], -on_grid[0])
            found.append(comb(len(on_grid), size) / (reach // gcd(*on_grid) + 1))
    return max(found)


def _any_chance(amounts: Sequence[int]) -> float:
    """The same of sets of any number."""
    sizes = [(len(on_grid), sum(map(abs, on_grid)) // gcd(*on_grid)) for on_grid in _on_grids(amounts) if on_grid]
    return max(float(2**size / (spread + 1)) for size, spread in sizes)


def whole_of(number: str) -> str:
    """Letters and digits in capitals, look-alikes folded."""
    return re.sub(r"[^0-9A-Z]", "", number.upper()).translate(_FOLDED)


def digits_of(number: str) -> str:
    """Digits without zeros before the first other."""
    return re.sub(r"[^0-9]", "", number).lstrip("0")


def numbers_in(text: str, numbers: Sequence[str]) -> set[tuple[str, int, int]]:
    """What of a text is one of the numbers: which, its first piece, the piece behind its last; none inside another."""
    pieces = list(re.finditer(r"[0-9]+|[A-Za-z]+", text))
    wholes = {whole_of(number) for number in numbers if len(whole_of(number)) >= 3 and digits_of(number)}
    digits = {digits_of(number) for number in numbers if len(digits_of(number)) >= 3}
    found = set()
    for first, last in combinations(range(len(pieces) + 1), 2):
        joined = pieces[first:last]
        gaps = [text[before.end() : after.start()] for before, after in pairwise(joined)]
        if (
            last - first > 6
            or any(len(gap) > 3 or set(gap) & set("+&,;|") for gap in gaps)
            or joined[-1].end() - joined[0].start() > 32
        ):
            continue
        words = [piece.group() for piece in joined]
        if whole_of("".join(words)) in wholes:
            found.add((whole_of("".join(words)), first, last))
        if all(word.isdigit() for word in words) and digits_of("".join(words)) in digits:
            found.add((digits_of("".join(words)), first, last))
    return {
        one
        for one in found
        if not any(
            other[1] <= one[1] and one[2] <= other[2] and other[2] - other[1] > one[2] - one[1] for other in found
        )
    }


def is_slip(a: str, b: str) -> bool:
    """Whether one edit of digits, or a swap of neighbours, makes one text the other."""
    edits = {a[:at] + digit + a[at + more :] for at in range(len(a) + 1) for digit in "0123456789" for more in (0, 1)}
    edits |= {a[:at] + a[at + 1 :] for at in range(len(a))}
    edits |= {a[:at] + a[at + 1] + a[at] + a[at + 2 :] for at in range(len(a) - 1)}
    return a != b and b in edits


def shares_together(
    receipts: Sequence[Sequence[tuple[float, Mapping[int, int]]]], room: Mapping[int, int]
) -> list[list[float]]:
    """Of each alternative of each receipt, its share in all choices that there is room for.

    Args:
        receipts: of each its alternatives: weight, and what it takes of which item.
    """
    totals = [[0.0] * len(alternatives) for alternatives in receipts]
    for chosen in product(*(range(len(alternatives)) for alternatives in receipts)):
        taken: dict[int, int] = {}
        weight = 1.0
        for receipt, at in enumerate(chosen):
            weight *= receipts[receipt][at][0]
            for item, amount in receipts[receipt][at][1].items():
                taken[item] = taken.get(item, 0) + amount
        if all(amount <= room[item] for item, amount in taken.items()):
            for receipt, at in enumerate(chosen):
                totals[receipt][at] += weight
    return [[share / sum(shares) for share in shares] for shares in totals]
