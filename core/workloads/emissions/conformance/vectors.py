"""Vectors of one file recomputed: each gives a row that says what was expected, what came out, and whether it fits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, Literal

import yaml

from core.errors import InputError
from core.workloads.emissions.conformance import sections
from core.workloads.emissions.conformance.examples import example_rows
from core.workloads.emissions.conformance.rows import Row

SHIPPED: Final = Path(__file__).with_name("ghg_protocol.yaml")
_SECTIONS: Final[Mapping[str, Callable[[Any], Iterator[Row]]]] = {
    "examples": example_rows,
    "units": sections.unit_rows,
    "gwp_100": sections.gwp_rows,
    "price_basis": sections.price_rows,
    "uncertainty": sections.uncertainty_rows,
    "double_count": sections.double_count_rows,
    "pcaf": sections.pcaf_rows,
}
_HEAD: Final = ("version", "tolerance_rel")

Verdict = Literal["fits", "misprint", "wrong", "not checked"]


@dataclass(frozen=True, slots=True)
class Checked:
    """A row and what it comes to. misprint: the expected value is met, and what the source prints is not."""

    row: Row
    verdict: Verdict


def check_file(path: Path = SHIPPED) -> list[Checked]:
    """Every vector of the file. Raises InputError: it cannot be read as YAML of sections."""
    try:
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"{path} cannot be read as YAML ({type(error).__name__})", path=str(path)) from None
    if not isinstance(said, dict):
        raise InputError(f"{path} holds no sections of vectors; it may have {', '.join(_SECTIONS)}", path=str(path))
    rows: list[Row] = []
    for name, content in said.items():
        if name in _SECTIONS:
            rows += _of_section(name, content)
        elif name not in _HEAD:
            rows.append(Row(name, "all", None, None, note="no rule here computes this section"))
    return [Checked(row, verdict_of(row)) for row in rows]


def verdict_of(row: Row) -> Verdict:
    """How a row stands: to half of its last decimal, or one in 1e9 where it has none."""
    if row.got is None or row.expected is None:
        return "wrong" if row.wrong else "not checked"
    if not _near(row.got, row.expected):
        return "wrong"
    return "fits" if row.printed is None or _near(row.got, row.printed, Fraction(1, 2)) else "misprint"


def _of_section(name: str, content: Any) -> list[Row]:
    """Rows of a section; one that has not its form is one wrong row."""
    try:
        return list(_SECTIONS[name](content))
    except InputError as error:
        return [Row(name, "form", None, None, wrong=True, note=error.message)]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return [Row(name, "form", None, None, wrong=True, note=f"has not the form of {name} ({type(error).__name__})")]


def _near(got: Fraction, expected: Any, whole: Fraction = Fraction(0)) -> bool:
    text = str(expected)
    places = len(text.partition(".")[2]) if "e" not in text.casefold() else 0
    wanted = Fraction(text)
    slack = max(Fraction(1, 2 * 10**places) if places else whole, abs(wanted) / 10**9)
    return abs(got - wanted) <= slack
