"""The systems of the matching benchmark and the settings each is run with. Why these settings: decision 0030."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from core.errors import ConfigError
from core.processes import python

Files = Literal["raw", "clean"]
SIX_RULES = Path(__file__).parent / "specs" / "six_rules.yaml"
HEADRACE = tuple(python("core.cli"))
SAVED = "persons, saved model"
INSTALL = "pip install 'headrace[peers]'"


@dataclass(frozen=True, slots=True)
class MatchSetup:
    """One system under one set of settings.

    `files`: whether it gets the records as they are, or with every value normalised by us before its clock starts.
    """

    system: str
    name: str
    command: tuple[str, ...]
    files: Files
    options: dict[str, Any] = field(hash=False)


def ours(threads: int) -> list[MatchSetup]:
    """Our own rows: Splink's rules and comparisons; the spec that everyone gets; the same with a model from before."""
    rows = (("same rules as Splink", str(SIX_RULES), False), ("persons", "persons", False), (SAVED, "persons", True))
    return [
        MatchSetup("headrace", name, HEADRACE, "raw", {"spec": spec, "saved_model": saved, "threads": threads})
        for name, spec, saved in rows
    ]


def _splink(threads: int) -> MatchSetup:
    options = {
        "threads": threads,
        "seed": 1,
        "prior_rules": [["ssn"], ["first_name", "last_name", "dob"]],
        "prior_recall": 0.8,
        "u_max_pairs": 1e6,
        "em_rules": [["ssn"], ["first_name", "last_name"]],
        "em_max_pairs": 1e6,
        "threshold": 0.5,
    }
    return MatchSetup("splink", "six rules", side("side_splink"), "clean", options)


def _goldenmatch(threads: int) -> MatchSetup:
    return MatchSetup("goldenmatch", "no configuration", side("side_goldenmatch"), "raw", {})


def side(module: str) -> tuple[str, ...]:
    """The command that runs a system of this folder in a process of its own."""
    return tuple(python(f"core.bench.matching.{module}"))


def peers(names: Sequence[str], threads: int) -> list[MatchSetup]:
    """The set-ups of the named systems.

    Raises ConfigError: no such system, or it cannot be run here; before anything is measured.
    """
    known = {"splink": (_splink, ("splink", "duckdb"), INSTALL), "goldenmatch": (_goldenmatch, ("goldenmatch",), "")}
    chosen = []
    for name in names:
        if name == "recordlinkage":
            raise ConfigError(
                "--peers recordlinkage cannot be run: it needs pandas and scikit-learn, which the lock leaves out "
                "(decision 0003), and it scores in one thread"
            )
        if name == "tfidf":
            raise ConfigError("--peers tfidf compares texts; it is always among the rows of --kind")
        if name not in known:
            raise ConfigError(f"--peers knows {', '.join([*known, 'recordlinkage'])}, not {name!r}")
        make, needs, install = known[name]
        missing = [package for package in needs if importlib.util.find_spec(package) is None]
        if missing:
            remedy = install or f"pip install {' '.join(missing)} into this environment"
            raise ConfigError(f"--peers {name} needs {' and '.join(missing)}: {remedy}")
        chosen.append(make(threads))
    return chosen
