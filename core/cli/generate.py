"""`headrace generate KIND`: made records of every kind but persons, with known truth."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import ConfigError, HeadraceError
from core.made_records.kinds import KINDS, Kind

if TYPE_CHECKING:
    import polars as pl

HELP = """
Write {says}; the last column, entity_id, is the truth.
{files}
How common each difficulty is, is drawn anew for every seed; --json says what came out. The same rows and seed make the
same files with the same version. All of it is in docs/reference/made-records.md.

[bold]Example[/bold]

  headrace generate {name} --rows 4000 --seed 7 --out {name}.parquet
"""


def register(group: typer.Typer) -> None:
    """Add a command for each kind to the group `generate`."""
    for kind in KINDS.values():
        of_several = ", ".join(f"{kind.name}-{letter}.parquet" for letter in kind.files)
        files = f"\nIt has {len(kind.files)} files: {of_several}.\n" if len(kind.files) > 1 else ""
        group.command(kind.name, help=HELP.format(says=kind.says, files=files, name=kind.name))(_command(kind))


def _command(kind: Kind) -> Callable[..., None]:
    def generate(
        rows: Annotated[int, typer.Option("--rows", help="Records to write, of all files together.")],
        out: Annotated[Path, typer.Option("--out", help="File to write: .parquet or .csv; of several, X-a, X-b ...")],
        seed: Annotated[int, typer.Option("--seed", help="Another seed, other records and rates.")] = 1,
        as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a sentence.")] = False,
    ) -> None:
        _generate(kind, rows, out, seed, as_json)

    return generate


def _generate(kind: Kind, rows: int, out: Path, seed: int, as_json: bool) -> None:
    import polars as pl

    from core.made_records.kinds import make_records
    from core.made_records.rates import drawn_rates

    paths = paths_of(kind, out)
    started = time.perf_counter()
    frames = make_records(kind.name, rows, seed)
    write_all(frames, paths)
    seconds = time.perf_counter() - started
    n_entities = pl.concat([frame["entity_id"] for frame in frames]).n_unique()
    facts = {
        "out": [str(path) for path in paths],
        "rows": [len(frame) for frame in frames],
        "entities": n_entities,
        "seed": seed,
        "rates": {name: round(rate, 4) for name, rate in drawn_rates(kind.name, seed).items()},
        "seconds": round(seconds, 3),
    }
    if as_json:
        print(json.dumps(facts))
        return
    written = " and ".join(f"{path} ({len(frame):,} rows)" for path, frame in zip(paths, frames, strict=True))
    print(f"{written}: {n_entities:,} entities, in {seconds:.1f} s")


def paths_of(kind: Kind, out: Path) -> list[Path]:
    """Where the files of the kind go: OUT itself, or beside it with a letter.

    Raises ConfigError: another suffix, a folder instead of a file, or no such folder.
    """
    if out.suffix not in {".parquet", ".csv"}:
        raise ConfigError(f"{out}: the name must end in .parquet or .csv", option="out", got=out.suffix)
    if out.is_dir():
        raise ConfigError(f"{out} is a folder; --out must name a file in it", option="out", got=str(out))
    if not out.parent.is_dir():
        raise ConfigError(f"--out {out}: there is no folder {out.parent}; make it first", option="out", got=str(out))
    return [out.with_name(f"{out.stem}-{letter}{out.suffix}") if letter else out for letter in kind.files]


def write_all(frames: Sequence[pl.DataFrame], paths: Sequence[Path]) -> None:
    """Write each frame; files appear whole or not at all. Raises HeadraceError: one cannot be written."""
    for frame, path in zip(frames, paths, strict=True):
        partial = path.with_name(f".{path.name}.partial")
        try:
            if path.suffix == ".csv":
                frame.write_csv(partial)
            else:
                frame.write_parquet(partial)
            partial.replace(path)
        except OSError as error:
            raise HeadraceError(f"{path} cannot be written: {error}", option="out") from error
        finally:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
