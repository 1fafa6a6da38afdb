"""A buyer's own codes and what they stand for, with shares where one code covers several."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from core.errors import InputError
from core.workloads.emissions.factors.loaders.reading import rows_of
from core.workloads.emissions.rules.decimals import exact, is_blank

SCHEMES: Final = ("naics-2012", "naics-2017", "naics-2022", "naics", "useeio", "desnz", "epa-hub", "own")
_CATEGORIES: Final = range(1, 16)


@dataclass(frozen=True, slots=True)
class Part:
    """share: of the amount, above 0; those of one buyer's code add up to 1."""

    scheme: str
    code: str
    category: int | None
    share: Fraction


@dataclass(frozen=True, slots=True)
class Crosswalk:
    """parts: buyer's code -> what it stands for."""

    parts: Mapping[str, tuple[Part, ...]] = field(default_factory=dict)

    def without_zeros(self, code: str) -> list[str]:
        """Codes of the crosswalk that differ from this one by leading zeros only."""
        bare = code.lstrip("0")
        return sorted(known for known in self.parts if known != code and known.lstrip("0") == bare)


def read_crosswalk(path: Path) -> Crosswalk:
    """Columns buyer_code, code_scheme, code, and category, share where they are needed.

    Raises SchemaError: a column is missing. InputError: a cell cannot be read, or the shares of a code are not whole.
    """
    table = rows_of(path, ("buyer_code", "code_scheme", "code"))
    found: dict[str, list[Part]] = {}
    for number, row in enumerate(table.to_dicts(), 2):
        where = f"{path}, row {number}"
        if not row["buyer_code"] or not row["code"]:
            raise InputError(f"{where}: buyer_code or code is empty", path=str(path), line=number)
        if row["code_scheme"] not in SCHEMES:
            raise InputError(
                f"{where}: there is no code_scheme {row['code_scheme'] or ''!r}; there are {', '.join(SCHEMES)}"
            )
        share = Fraction(1) if is_blank(row.get("share")) else _share(row["share"], f"{where}, share")
        part = Part(row["code_scheme"], row["code"], _category(row.get("category"), where), share)
        found.setdefault(row["buyer_code"], []).append(part)
    return Crosswalk({code: _whole(code, parts, path) for code, parts in found.items()})


def _whole(code: str, parts: list[Part], path: Path) -> tuple[Part, ...]:
    """Parts whose shares add up to 1, or to 100 (percent)."""
    total = sum((part.share for part in parts), Fraction(0))
    # A third written with two or more decimals comes to 0.99.
    for whole in (1, 100):
        if abs(total - whole) <= Fraction(whole, 1000):
            return tuple(Part(part.scheme, part.code, part.category, part.share / total) for part in parts)
    raise InputError(
        f"{path}: the shares of buyer_code {code!r} come to {float(total):g}, and must come to 1 (or 100 percent)",
        path=str(path),
        buyer_code=code,
    )


def _share(text: str, where: str) -> Fraction:
    share = exact(text, where)
    if share <= 0:
        raise InputError(f"{where} must be above 0")
    return share


def _category(text: Any, where: str) -> int | None:
    if is_blank(text):
        return None
    if not str(text).isdigit() or int(text) not in _CATEGORIES:
        raise InputError(f"{where}, category: is no whole number of 1 to 15")
    return int(text)
