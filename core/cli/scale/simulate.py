"""`headrace scale simulate` and `record`: what rules of scaling would have cost, on made-up and on recorded loads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from core.scaling.simulation.compare import Comparison


def register(group: typer.Typer) -> None:
    """Add the commands to the group `scale`."""
    group.command("simulate")(simulate)
    group.command("record")(record)


def _scenarios(incomplete: str) -> list[str]:
    """What a shell may complete; files it completes by itself."""
    names = ("step", "ramp", "burst", "diurnal", "poison", "all")
    return [name for name in names if name.startswith(incomplete)]


def simulate(
    scenario: Annotated[
        str,
        typer.Option(
            "--scenario",
            help="step, ramp, burst, diurnal, poison, all, or a file of `scale record`.",
            autocompletion=_scenarios,
        ),
    ] = "all",
    most: Annotated[int, typer.Option("--max", min=1, max=1_000, help="Consumers at most.")] = 10,
    startup: Annotated[
        float, typer.Option("--startup-seconds", min=0, max=3_600, help="From the order of a consumer to its work.")
    ] = 2.0,
    batch: Annotated[float, typer.Option("--batch-seconds", min=0.01, help="Work of a mean batch.")] = 3.0,
    burst: Annotated[
        float, typer.Option("--burst-seconds", min=1, help="Work of a burst for each consumer there may be.")
    ] = 160.0,
    drain: Annotated[float, typer.Option("--drain-seconds", min=1, help="Our drain target.")] = 60.0,
    tick: Annotated[float, typer.Option("--tick-seconds", min=0.5, help="Our pause between decisions.")] = 5.0,
    price: Annotated[
        float, typer.Option("--lambda", min=0, help="Cost of a consumer-second in seconds of draining.")
    ] = 0.1,
    seed: Annotated[int, typer.Option("--seed", help="Of arrivals, batches and start-ups.")] = 1,
    out: Annotated[Path | None, typer.Option("--out", help="Write the picture to this SVG (one scenario).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print figures as JSON.")] = False,
) -> None:
    """Replay a load under our rule, the threshold rule, KEDA's formula and one who knows the load; beside the bound.

    cost = drain time + lambda x consumer-seconds. `bound` is what nobody can beat under the same start-up and limits.

    Example: headrace scale simulate --scenario burst --out s.svg
    """
    import json
    import random

    from core.errors import ConfigError
    from core.scaling.simulation import chart
    from core.scaling.simulation.compare import Terms, compare
    from core.scaling.simulation.load import SCENARIOS, Limits, Shape, load
    from core.terminal.tables import emit

    if out is not None and scenario == "all":
        raise ConfigError("a picture shows one scenario: name it with --scenario")
    terms = Terms(Limits(most, startup), drain, tick, price, seed)
    found: dict[str, Comparison] = {}
    for name in SCENARIOS if scenario == "all" else [scenario]:
        batches = load(name, Shape(batch, burst), terms.limits, random.Random(seed))
        found[name] = compare(batches, terms)
    if as_json:
        print(json.dumps([_figures(name, comparison) for name, comparison in found.items()], indent=2))
    for name, comparison in found.items():
        title = f"{Path(name).name}: at most {most} consumers, {startup:g} s to start, lambda {price:g}, seed {seed}"
        if out is not None:
            out.write_text(chart.svg(comparison, title), encoding="utf-8")
        if not as_json:
            emit(title, [_shown(row) for row in comparison.rows()], as_json=False)
            if scenario != "all":
                print(chart.text(comparison))


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """Tenths of a share matter; tables show one digit of numbers."""
    return row | {"of_bound": f"{row['of_bound']:.2f}"}


def _figures(name: str, comparison: Comparison) -> dict[str, Any]:
    terms = comparison.terms
    return {
        "scenario": name,
        "max_consumers": terms.limits.max_consumers,
        "startup_s": terms.limits.startup_s,
        "drain_target_s": terms.drain_target_s,
        "lambda": terms.per_consumer_s,
        "seed": terms.seed,
        "rules": comparison.rows(),
    }


def record(
    flow: Annotated[str, typer.Option("--flow", help="Flow whose load is written.")],
    out: Annotated[Path, typer.Option("--out", help="CSV with at_s, work_s, attempts.")],
    hours: Annotated[int, typer.Option("--hours", min=1, max=8_760, help="How far back.")] = 24,
) -> None:
    """Write the load a flow has had, for `scale simulate --scenario FILE`.

    Example: headrace scale record --flow survey --hours 24 --out survey.csv
    """
    from core.queue.store import flows
    from core.runtime import open_runtime
    from core.scaling import recording

    with open_runtime() as runtime:
        flows.require_known(runtime.db, flow)
        n_batches = recording.record(runtime.db, flow, hours, out)
    print(f"{n_batches:,} batches of {flow} written to {out}")
