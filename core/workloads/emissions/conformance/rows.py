"""One value of a vector, as expected and as recomputed."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """expected, printed: as the file has them. got: recomputed, None where nothing came out. wrong: it failed."""

    vector: str
    part: str
    expected: Any
    got: Fraction | None
    printed: Any = None
    unit: str = ""
    wrong: bool = False
    note: str = ""
