"""How common each difficulty of receivables is: ranges, of which every seed draws a number.

This table is the one place where they stand; `docs/reference/made-invoices.md` explains them and is checked against it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from core.made_records.draws import Draws

Rates = Mapping[str, float]

# in percent, lowest-highest; the first twelve are shares of all bank lines, "exact" is what they leave
_TABLE = """
missing reference    | 5-9
typo                 | 4-8
combined             | 12-18
partial              | 3-6
over/short           | 3-6
discount             | 4-8
fee-netted           | 3-6
FX                   | 2-5
credit-netted        | 3-6
duplicate            | 1.5-3
reversal             | 1.5-3
unrelated            | 4-9
clean reference      | 70-82
clean list           | 35-45
number of another    | 5-12
order number only    | 15-35
list not written     | 8-16
range                | 5-12
month                | 5-12
on account           | 20-40
last part missing    | 20-40
structured           | 10-25
amounts in text      | 5-20
text cut             | 10-30
credit not named     | 20-40
two discounts        | 10-30
discount late        | 10-20
tax withheld         | 20-40
rounding             | 15-30
write-off            | 5-10
short                | 15-30
deduction            | 15-30
prepayment           | 8-15
stated abroad        | 30-60
paid again           | 30-60
big customers        | 18-30
group                | 10-25
parent pays          | 30-60
another name         | 8-18
third party          | 0.5-2
account not listed   | 10-25
account absent       | 3-9
name absent          | 1-4
name cut             | 10-30
capitals             | 30-60
fixed prices         | 5-12
round prices         | 10-25
gives discount       | 30-50
own order numbers    | 50-80
second instalment    | 1-3
partly paid before   | 2-5
credit open          | 2-5
equal to a line      | 5-15
"""


def _ranges() -> dict[str, tuple[float, float]]:
    ranges = {}
    for line in _TABLE.strip().splitlines():
        name, bounds = (part.strip() for part in line.split("|"))
        low, high = map(float, bounds.split("-"))
        ranges[name] = (low / 100, high / 100)
    return ranges


RANGES = _ranges()

MOST_EXACT = 0.38
"""Share of exact lines above which the other slices become more: no file is an easy one."""


def drawn_rates(draws: Draws) -> dict[str, float]:
    """Every rate as this seed has it: uniform between its bounds, from 0 to 1."""
    nobody = np.zeros(1, dtype=np.int64)
    return {
        name: low + float(draws.unit(f"rate of {name}", nobody)[0]) * (high - low)
        for name, (low, high) in RANGES.items()
    }
