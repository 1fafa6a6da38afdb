"""A run on this machine: lines, policy and factors in; lines.parquet and summary.json out."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import polars as pl

from core.errors import ConfigError, InputError
from core.intake.file_digest import file_digest
from core.workloads.emissions.factors.sets import STARTER, FactorSet, read_set, starter_set
from core.workloads.emissions.factors.store import FactorStore
from core.workloads.emissions.inventory.compute import Computed, compute
from core.workloads.emissions.inventory.lines import read_lines
from core.workloads.emissions.inventory.policies.policy import Policy, read_policy
from core.workloads.emissions.inventory.selection.catalog import Catalog
from core.workloads.emissions.inventory.summary import summary_of

LINES: Final = "lines.parquet"
SUMMARY: Final = "summary.json"
RUN: Final = "run.json"
COLUMNS: Final = (
    *("line_id", "fate", "reason", "category", "method", "dataset_id", "factor_no", "kg_co2e", "mass_mg"),
    *(
        "supplier_entity",
        "data_quality",
        "ln_sd",
        "review",
        "note",
        "flags",
        "share",
        "period",
        "amount_minor",
        "currency",
    ),
)


@dataclass(frozen=True, slots=True)
class Request:
    """What to compute. period: a year, or None: that of each date.

    Attributes:
        factors: `starter`, a YAML file of members, or the name of a set in `store`, the folder of kept data sets.
    """

    lines: Path
    policy: Path | None = None
    factors: str = STARTER
    period: int | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)
    store: Path | None = None


@dataclass(frozen=True, slots=True)
class Ready:
    """A request with its files read."""

    request: Request
    factor_set: FactorSet
    policy: Policy
    lines: pl.DataFrame


def prepare(request: Request) -> Ready:
    """Read all files of a request. Raises ConfigError, InputError, SchemaError: as their readers do."""
    factor_set = factors_of(request.factors, request.store)
    policy = read_policy(request.policy, is_starter=factor_set.is_starter)
    if not request.lines.exists():
        raise InputError(f"{request.lines} is not there", path=str(request.lines))
    return Ready(request, factor_set, policy, read_lines(request.lines, request.mapping))


def factors_of(name: str, store: Path | None = None) -> FactorSet:
    """The starter set, that of a YAML file, or one of the store. Raises ConfigError: none of them."""
    if name == STARTER:
        return starter_set()
    path = Path(name)
    if path.is_file():
        return read_set(path)
    if store is not None and not path.suffix:
        return FactorStore(store).factor_set(name)
    raise ConfigError(f"--factors {name}: is neither '{STARTER}' nor a file; `headrace factors sources` shows how")


def run(ready: Ready, draws: tuple[int, int] = (0, 0)) -> tuple[Computed, dict[str, Any]]:
    """Lines with one fate each, and the summary; `draws` as of `summary_of`."""
    computed = compute(ready.lines, Catalog(ready.factor_set, ready.policy), ready.request.period)
    return computed, summary_of(computed.frame, ready.factor_set, ready.policy, draws)


def write(out: Path, ready: Ready, computed: Computed, summary: Mapping[str, Any]) -> None:
    """Write the lines, the summary, and run.json with what went in; a folder with the last is complete."""
    out.mkdir(parents=True, exist_ok=True)
    (out / RUN).unlink(missing_ok=True)
    frame = computed.frame.with_columns(period=pl.col("year")).select(COLUMNS)
    part = out / f".{LINES}.partial"
    frame.write_parquet(part)
    os.replace(part, out / LINES)
    _write_json(out / SUMMARY, summary)
    _write_json(out / RUN, _record(ready))


def request_of(out: Path) -> Request:
    """The request of a folder of answers. Raises InputError: it holds none that is complete."""
    try:
        said = json.loads((out / RUN).read_text(encoding="utf-8"))
        return Request(
            Path(said["lines"]),
            Path(said["policy"]) if said["policy"] else None,
            said["factors"],
            said["period"],
            said["map"],
            Path(said["store"]) if said["store"] else None,
        )
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(f"{out} holds no complete run; `headrace emissions run --out {out}` makes one") from None


def _record(ready: Ready) -> dict[str, Any]:
    request = ready.request
    named = Path(request.factors)
    is_file = request.factors != STARTER and named.is_file()
    policy = [request.policy] if request.policy else []
    inputs = [request.lines, *policy, *ready.policy.sources.values(), *([named] if is_file else [])]
    return {
        "lines": str(request.lines.absolute()),
        "policy": str(request.policy.absolute()) if request.policy else None,
        "factors": str(named.absolute()) if is_file else request.factors,
        "store": str(request.store.absolute()) if request.store else None,
        "period": request.period,
        "map": dict(request.mapping),
        "sha256": {str(path): file_digest(path) for path in inputs},
        "set_id": ready.factor_set.set_id,
    }


def _write_json(path: Path, said: Mapping[str, Any]) -> None:
    part = path.with_name(f".{path.name}.partial")
    part.write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(part, path)
