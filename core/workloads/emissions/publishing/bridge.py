"""From one inventory to another, one driver after the other: each step is what a driver adds to those before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import polars as pl

from core.workloads.emissions.factors.sets import FactorSet
from core.workloads.emissions.inventory.lines import COLUMNS
from core.workloads.emissions.inventory.policies.policy import of_choices
from core.workloads.emissions.publishing.computing import computed_of
from core.workloads.emissions.publishing.imports import Standing
from core.workloads.emissions.publishing.pins import Inputs

CODE: Final = "code"
"""What another version of Headrace makes of the very same inputs: the first step, and 0 unless a rule changed."""
_CLASS: Final = ("buyer_code", "code_scheme", "code")
_SUPPLIER: Final = (
    *("supplier", "supplier_id", "supplier_country", "supplier_vat", "supplier_lei"),
    *("supplier_factor", "supplier_factor_unit", "supplier_factor_boundary"),
)
_ACTIVITY: Final = tuple(name for name in COLUMNS if name not in (*_CLASS, *_SUPPLIER))


@dataclass(frozen=True, slots=True)
class Driver:
    """columns: of lines; choices: of the policy; sources: its files; edition: the factor set."""

    name: str
    columns: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    edition: bool = False


DRIVERS: Final = (
    Driver("boundary", sources=("own",)),
    Driver("activity", columns=_ACTIVITY),
    Driver("class", columns=_CLASS, sources=("crosswalk",)),
    Driver("supplier data", columns=_SUPPLIER),
    Driver("edition", edition=True),
    Driver("GWP", choices=("gwp_set",)),
    Driver("price", choices=("fx_basis", "valuation", "margins"), sources=("fx", "prices")),
    Driver("method", choices=("decimal_mark", "max_line_amount", "well_to_tank")),
)
"""In the order of the bridge."""


@dataclass(frozen=True, slots=True)
class Side:
    """One end of a bridge, or a stage of it."""

    lines: pl.DataFrame
    factor_set: FactorSet
    choices: Mapping[str, Any]
    sources: Mapping[str, Path]

    @property
    def inputs(self) -> Inputs:
        """As a run takes them."""
        return Inputs(self.factor_set, of_choices(self.choices, self.sources))


def side_of(lines: pl.DataFrame, inputs: Inputs) -> Side:
    """The end of a bridge that lines and inputs make."""
    return Side(lines, inputs.factor_set, inputs.policy.facts(), inputs.policy.sources)


def bridge_of(before: Side, after: Side, period: int, locked_mg: int) -> list[dict[str, Any]]:
    """Steps from a locked total to that of the other end, which they reach without a rest.

    Args:
        locked_mg: what the version that is restated came to when it was published.
    Returns: step_no, driver, delta_mg, total_mg, n_changed (lines whose mass the step changes).
    Cost: an inventory for each driver whose inputs differ.
    """
    masses = _masses(before, period)
    steps = [_step(0, CODE, locked_mg, _total(masses), 0)]
    for number, (driver, side) in enumerate(_stages(before, after), 1):
        earlier, total = masses, _total(masses)
        masses = masses if side is None else _masses(side, period)
        steps.append(_step(number, driver.name, total, _total(masses), _n_changed(earlier, masses)))
    return steps


def _step(number: int, driver: str, before: int, after: int, n_changed: int) -> dict[str, Any]:
    return {
        "step_no": number,
        "driver": driver,
        "delta_mg": after - before,
        "total_mg": after,
        "n_changed": n_changed,
    }


def _stages(before: Side, after: Side) -> Iterator[tuple[Driver, Side | None]]:
    """What each driver leaves; None where it has nothing to change."""
    stage, taken = before, set[str]()
    for driver in DRIVERS:
        taken.update(driver.columns)
        moved = replace(
            stage,
            lines=_mixed(before.lines, after.lines, taken) if driver.columns else stage.lines,
            choices={**stage.choices, **{name: after.choices[name] for name in driver.choices}},
            sources=_moved(stage.sources, after.sources, driver.sources),
            factor_set=after.factor_set if driver.edition else stage.factor_set,
        )
        is_same = (
            moved.lines.equals(stage.lines)
            and moved.choices == stage.choices
            and _bodies(moved.sources) == _bodies(stage.sources)
            and (moved.factor_set.set_id, moved.factor_set.revisions_file.read_bytes())
            == (stage.factor_set.set_id, stage.factor_set.revisions_file.read_bytes())
        )
        stage = moved
        yield driver, None if is_same else moved


def _mixed(before: pl.DataFrame, after: pl.DataFrame, taken: set[str]) -> pl.DataFrame:
    """The later lines, with the columns that no driver has taken yet as they stood before, where the line stood."""
    left = [name for name in COLUMNS if name not in taken]
    if not left:
        return after
    stood = before.filter(pl.col("line_id").is_not_null()).unique("line_id", keep="first").select("line_id", *left)
    joined = after.join(
        stood.with_columns(stood=pl.lit(True)), on="line_id", how="left", suffix="_before", maintain_order="left"
    )
    return joined.select(
        pl.when(pl.col("stood")).then(f"{name}_before").otherwise(name).alias(name) if name in left else pl.col(name)
        for name in COLUMNS
    )


def _moved(sources: Mapping[str, Path], to: Mapping[str, Path], names: tuple[str, ...]) -> dict[str, Path]:
    kept = {name: path for name, path in sources.items() if name not in names}
    return kept | {name: to[name] for name in names if name in to}


def _bodies(sources: Mapping[str, Path]) -> dict[str, bytes]:
    return {name: path.read_bytes() for name, path in sources.items()}


def _masses(side: Side, period: int) -> pl.DataFrame:
    frame = computed_of(Standing(side.lines, ()), side.inputs, period).frame
    return frame.filter(pl.col("fate") == "counted").group_by("line_id").agg(pl.col("mass_mg").sum())


def _total(masses: pl.DataFrame) -> int:
    return int(masses["mass_mg"].sum())


def _n_changed(before: pl.DataFrame, after: pl.DataFrame) -> int:
    if before is after:
        return 0
    both = before.join(after, on="line_id", how="full", suffix="_after")
    return int(both.select(pl.col("mass_mg").ne_missing(pl.col("mass_mg_after")).sum()).item())
