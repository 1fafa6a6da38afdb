"""The first run: 100,000 generated persons become entities, through the queue, under Prefect.

`make demo` and `headrace demo` call this; everything it makes lies in the state directory.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

import polars as pl
from filelock import FileLock, Timeout
from prefect.settings import get_current_settings
from rich.console import Console

from core.errors import ConfigError
from core.linkage.request import MatchRequest
from core.made_records.persons.generator import generate_persons
from core.made_records.persons.profiles import DEFAULT_PROFILE
from core.matching.quality.evaluation import evaluate_labels
from core.settings import read_settings
from core.terminal.guard import guarded
from core.workloads.identity.summary import print_summary
from flows.identity_resolution import identity_resolution

ROWS, SEED, DUPLICATES = 100_000, 7, 0.3


def main() -> None:
    """One at a time in a folder: each would write the persons that another one reads."""
    folder = read_settings().state_dir
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with FileLock(folder / "demo.lock", blocking=False):
            _demo(folder)
    except Timeout:
        raise ConfigError(f"another demo runs in {folder}; wait for its end, or give --dir another folder") from None


def _demo(folder: Path) -> None:
    """Generate, resolve, and compare with the truth that the generator knows."""
    console = Console()
    persons, resolved = folder / "persons.parquet", folder / "resolved.parquet"
    started = time.perf_counter()
    generate_persons(ROWS, seed=SEED, duplicates=DUPLICATES, profile=DEFAULT_PROFILE).write_parquet(persons)
    seconds = time.perf_counter() - started
    console.print(f"{ROWS:,} persons ({DEFAULT_PROFILE}) generated in {seconds:.1f} s: {persons}", soft_wrap=True)

    request = MatchRequest(input=str(persons), id_column="id", out=str(resolved), rerun=True)
    summary = asyncio.run(identity_resolution(request))
    print_summary(summary, str(resolved))

    truth = pl.read_parquet(persons, columns=["id", "entity_id"]).rename({"entity_id": "person"})
    both = pl.read_parquet(resolved).join(truth, on="id", how="inner", validate="1:1")
    quality = evaluate_labels(both["entity_id"], both["person"])
    console.print(
        f"against the generator's truth: precision {quality.pairwise.precision:.4f}, recall "
        f"{quality.pairwise.recall:.4f}, F1 {quality.pairwise.f1:.4f}; B-cubed F1 {quality.b_cubed.f1:.4f}",
        soft_wrap=True,
    )
    look = f'HEADRACE_STATE_DIR="{folder}" "{Path(sys.executable).parent / "headrace"}" queue status'
    console.print(f"the flow and its tasks: {_to_the_pages()}; the queue: {look}", soft_wrap=True, highlight=False)


def _to_the_pages() -> str:
    """What shows Prefect's pages: of a checkout a target of its Makefile."""
    if (Path.cwd() / "flows" / "demo.py").is_file() and (Path.cwd() / "Makefile").is_file():
        return "[bold]make ui[/]"
    home = get_current_settings().home
    return f'PREFECT_HOME="{home}" "{Path(sys.executable).parent / "prefect"}" server start'


if __name__ == "__main__":
    guarded(main)
