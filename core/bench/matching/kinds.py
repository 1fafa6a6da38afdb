"""How well records of each made kind are matched: ours, plain TF-IDF as the floor, and others that are asked for."""

from __future__ import annotations

import importlib.util
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from core.bench.harness.process import Ran, run
from core.bench.matching.across import evaluate_across, evaluate_pairs
from core.bench.matching.match import MatchMeasured, OnProgress, figures, with_ratios
from core.bench.matching.systems import HEADRACE, INSTALL, MatchSetup, side
from core.errors import ConfigError, MatchError
from core.made_records.kinds import Kind, make_records

SPECS = Path(__file__).parent / "specs"
# What a kind is matched with: a built-in spec, or one of `SPECS` where none is built in.
SPEC_OF = {
    "suppliers": "suppliers",
    "sites": "places",
    "catalogues-electronics": "products",
    "catalogues-software": "products",
    "catalogues-shop": "products",
    "papers-clean": "publications",
    "papers-scraped": "publications",
    "songs": "songs",
    "master": "names",
    "names-people": "names",
    "companies": "names",
    "spellings": "names",
    "ledgers": "ledgers",
}
FLOOR = "tfidf"


def setups_of(kind: Kind, peers: Sequence[str], threads: int) -> list[MatchSetup]:
    """Ours, the floor, and the named peers.

    Raises ConfigError: no such peer for made kinds, or it cannot be run here.
    """
    spec = SPEC_OF[kind.name]
    own = SPECS / f"{spec}.yaml"
    options = {"spec": str(own) if own.exists() else spec, "threads": threads}
    floor = {"columns": list(kind.text), "shared": list(kind.shared)}
    setups = [
        MatchSetup("headrace", spec, HEADRACE, "raw", options),
        MatchSetup(FLOOR, "words and 4-grams", side("side_tfidf"), "raw", floor),
    ]
    for name in peers:
        if name == "splink":
            setups.append(_splink(kind, threads))
        elif name != FLOOR:
            raise ConfigError(f"--peers knows tfidf and splink where --kind is given, not {name!r}")
    return setups


def _splink(kind: Kind, threads: int) -> MatchSetup:
    if missing := [package for package in ("splink", "duckdb") if importlib.util.find_spec(package) is None]:
        raise ConfigError(f"--peers splink needs {' and '.join(missing)}: {INSTALL}")
    options = {
        "threads": threads,
        "columns": list(kind.columns),
        "text": list(kind.text),
        "u_max_pairs": 1e6,
        "seed": 1,
        "threshold": 0.5,
    }
    return MatchSetup("splink", "each column by Jaro-Winkler", side("side_splink_columns"), "raw", options)


def measure_kind(
    kind: Kind, rows: int, seed: int, setups: Sequence[MatchSetup], on_progress: OnProgress
) -> list[MatchMeasured]:
    """Run each system in turn on the same made records; what it refuses counts as nothing found.

    Kernels should be compiled before, as `warm` does: the clock runs from a process's start.

    Raises MatchError: a peer ended with an error.
    """
    with tempfile.TemporaryDirectory(prefix="headrace-bench-") as name:
        folder = Path(name)
        frames = make_records(kind.name, rows, seed)
        paths = [folder / f"{letter or 'records'}.parquet" for letter in kind.files]
        for frame, path in zip(frames, paths, strict=True):
            frame.drop("entity_id").write_parquet(path)
        truth = pl.concat(
            [frame.select("id", true="entity_id", source=pl.lit(number)) for number, frame in enumerate(frames)]
        )
        found = []
        for done, setup in enumerate(setups):
            on_progress("systems", done, len(setups))
            found.append(_measured(setup, kind, paths, truth, f"made {kind.name}, seed {seed}"))
        on_progress("systems", len(setups), len(setups))
    return with_ratios(found)


def _measured(setup: MatchSetup, kind: Kind, paths: Sequence[Path], truth: pl.DataFrame, origin: str) -> MatchMeasured:
    folder = paths[0].parent
    out, pairs = folder / f"{setup.system}.parquet", folder / f"{setup.system}-pairs.parquet"
    order = {"input": [str(path) for path in paths], "out": str(out), "pairs": str(pairs), "settings": setup.options}
    environment = {"HEADRACE_STATE_DIR": str(folder / "state")}
    if setup.system != "headrace":
        ran = run(setup.command, order, environment)
        return figures(setup, origin, ran, evaluate_pairs(pl.read_parquet(pairs), pl.read_parquet(out), truth))
    started = time.perf_counter()
    try:
        ran = run([*setup.command, *match_words(setup, kind, paths, out)], {}, environment)
    except MatchError:
        # A refusal is an answer: no pair is found, and none is wrong.
        nothing = truth.select("id", entity_id="id")
        ran = Ran({"stages": {}, "candidate_pairs": None}, round(time.perf_counter() - started, 3), 0.0)
        return figures(setup, origin, ran, evaluate_across(nothing, truth))
    return figures(setup, origin, ran, evaluate_across(pl.read_parquet(out), truth))


def match_words(setup: MatchSetup, kind: Kind, paths: Sequence[Path], out: Path) -> list[str]:
    """The words of `headrace match` for the files of a kind, linked one to one.

    Where several records of a file may be of one entity, those of the other files may have several partners.
    """
    words = ["match", str(paths[0])]
    for path in paths[1:]:
        words += ["--link", str(path)]
    several = {number for file in kind.shared for number in range(len(paths)) if number != file}
    words += [word for number in sorted(several) for word in ("--shared", str(number))]
    options = setup.options
    return [*words, "--id", "id", "--spec", options["spec"], "--threads", str(options["threads"]),
            "--out", str(out), "--yes", "--json"]  # fmt: skip
