"""What a run leaves to its user: a YAML file of choices, and the files of rates, indices, classes and own entities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final, Literal

import yaml

from core.errors import ConfigError
from core.workloads.emissions.factors.sets import STARTER_FX, STARTER_PRICES
from core.workloads.emissions.inventory.policies.crosswalk import Crosswalk, read_crosswalk
from core.workloads.emissions.inventory.policies.own_entities import OwnEntity, read_own
from core.workloads.emissions.inventory.policies.rates import Basis, PriceIndices, Rates, read_prices, read_rates
from core.workloads.emissions.rules.decimals import Mark
from core.workloads.emissions.rules.gases import GWP_SETS

_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "gwp_set": GWP_SETS,
    "margins": ("with", "without"),
    "valuation": ("purchaser", "producer"),
    "decimal_mark": (".", ","),
    "well_to_tank": ("leave", "add"),
}
_FILES: Final = ("fx", "prices", "crosswalk", "own")
_BASES: Final = ("day", "month", "year")
_LIMIT: Final = Decimal(1_000_000_000)


@dataclass(frozen=True, slots=True)
class Policy:
    """Choices of a run.

    Attributes:
        gwp_set: for figures that are masses of gases. margins: of factors at purchaser price.
        valuation: of lines that state none; None: such lines are rejected.
        decimal_mark: None: a number that may be read two ways goes to review.
        max_line_amount: in whole currency units or units of the quantity; what is above goes to review.
        well_to_tank: `add` counts the well-to-tank row beside a named row of travel or freight.
        sources: `fx`, `prices`, `crosswalk`, `own` -> the file that each was read from, as far as there is one.
    """

    gwp_set: str = "AR5"
    margins: Literal["with", "without"] = "with"
    valuation: str | None = None
    decimal_mark: Mark | None = None
    max_line_amount: Decimal = _LIMIT
    well_to_tank: Literal["leave", "add"] = "leave"
    rates: Rates = field(default_factory=Rates)
    prices: PriceIndices = field(default_factory=PriceIndices)
    crosswalk: Crosswalk = field(default_factory=Crosswalk)
    own: tuple[OwnEntity, ...] = ()
    sources: Mapping[str, Path] = field(default_factory=dict)

    def facts(self) -> dict[str, Any]:
        """What a summary says of it."""
        return {
            "gwp_set": self.gwp_set,
            "margins": self.margins,
            "valuation": self.valuation,
            "decimal_mark": self.decimal_mark,
            "max_line_amount": str(self.max_line_amount),
            "well_to_tank": self.well_to_tank,
            "fx_basis": self.rates.basis,
        }


def starter_policy() -> Policy:
    """Of a run on the starter set that names no policy: its own means of years and price index."""
    return of_choices({"fx_basis": "year"}, {"fx": STARTER_FX, "prices": STARTER_PRICES})


def read_policy(path: Path | None, *, is_starter: bool) -> Policy:
    """The policy of a YAML file, paths relative to it; what it does not say is as without a file.

    Args:
        is_starter: the run takes the starter set, which brings rates and indices.
    Raises ConfigError: no YAML, an unknown name or value. InputError: a file it names cannot be read.
    """
    base = starter_policy() if is_starter else Policy()
    if path is None:
        return base
    said = _said(path)
    if unknown := sorted(set(said) - {*_CHOICES, *_FILES, "max_line_amount"}):
        known = ", ".join((*_CHOICES, *_FILES, "max_line_amount"))
        raise ConfigError(f"{path}: there is no {unknown[0]!r} in a policy; there are {known}")
    for name, values in _CHOICES.items():
        if name in said and said[name] not in values:
            raise ConfigError(f"{path}: {name} is {' or '.join(values)}, not {said[name]!r}")
    files: dict[str, Path] = {name: _file(said[name], name, path) for name in _FILES if name in said}
    choices = {name: said[name] for name in _CHOICES if name in said}
    if "max_line_amount" in said:
        choices["max_line_amount"] = _limit(said["max_line_amount"], path)
    choices["fx_basis"] = _basis(said["fx"], path) if "fx" in files else base.rates.basis
    return of_choices(choices, {**base.sources, **files})


def of_choices(choices: Mapping[str, Any], sources: Mapping[str, Path]) -> Policy:
    """A policy of checked choices (names as in `facts`, those that are missing as without a file) and its files.

    Raises InputError, SchemaError: a file cannot be read.
    """
    said = {name: value for name, value in choices.items() if name not in {"fx_basis", "max_line_amount"}}
    limit = choices.get("max_line_amount", _LIMIT)
    basis = choices.get("fx_basis", "year")
    return Policy(
        **said,
        max_line_amount=Decimal(limit),
        rates=read_rates(sources["fx"], basis) if "fx" in sources else Rates(basis=basis),
        prices=read_prices(sources["prices"]) if "prices" in sources else PriceIndices(),
        crosswalk=read_crosswalk(sources["crosswalk"]) if "crosswalk" in sources else Crosswalk(),
        own=read_own(sources["own"]) if "own" in sources else (),
        sources=dict(sources),
    )


def _said(path: Path) -> dict[str, Any]:
    try:
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path} cannot be read as YAML ({type(error).__name__})") from None
    if said is None:
        return {}
    if not isinstance(said, dict):
        raise ConfigError(f"{path} holds no names with values")
    return {str(name): value for name, value in said.items()}


def _file(said: Any, name: str, path: Path) -> Path:
    """`{file: PATH}`, or the path alone."""
    file = said.get("file") if isinstance(said, dict) else said
    if not isinstance(file, str):
        raise ConfigError(f"{path}: {name} needs a file, as {name}: {{file: PATH}}")
    found = path.parent / file
    if not found.is_file():
        raise ConfigError(f"{path}: the file of {name}, {found}, is not there")
    return found


def _basis(said: Any, path: Path) -> Basis:
    basis = said.get("basis", "day") if isinstance(said, dict) else "day"
    if basis not in _BASES:
        raise ConfigError(f"{path}: the basis of fx is {', '.join(_BASES)}, not {basis!r}")
    return "day" if basis == "day" else "month" if basis == "month" else "year"


def _limit(said: Any, path: Path) -> Decimal:
    try:
        limit = Decimal(str(said))
    except InvalidOperation:
        limit = Decimal(0)
    if isinstance(said, bool) or not limit.is_finite() or limit <= 0:
        raise ConfigError(f"{path}: max_line_amount is a number above 0, not {said!r}")
    return limit
