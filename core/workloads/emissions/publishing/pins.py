"""What an inventory was computed with, named by hashes: enough for a stranger to compute it again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import psycopg

from core.review.audit.canonical import canonical
from core.workloads.emissions.factors.revisions import read_revisions
from core.workloads.emissions.factors.sets import STARTER, FactorSet
from core.workloads.emissions.inventory.policies.policy import Policy, of_choices
from core.workloads.emissions.publishing.datasets import (
    file_id,
    keep_datasets,
    keep_files,
    read_dataset,
    read_files,
)

REVISIONS: Final = "revisions"


@dataclass(frozen=True, slots=True)
class Inputs:
    """What lines are computed with."""

    factor_set: FactorSet
    policy: Policy

    @property
    def files(self) -> dict[str, Path]:
        """Purpose -> file."""
        return {**self.policy.sources, REVISIONS: self.factor_set.revisions_file}


@dataclass(frozen=True, slots=True)
class Pin:
    """imports: events whose lines count. members: data sets in order of preference. choices: of the policy.

    files: purpose -> id and name. code: version of Headrace that computed it.
    """

    period: int
    imports: tuple[int, ...]
    set_name: str
    members: tuple[str, ...]
    choices: Mapping[str, Any]
    files: Mapping[str, tuple[str, str]]
    code: str

    def body(self) -> bytes:
        """Canonical bytes."""
        return canonical(
            {
                "period": self.period,
                "imports": list(self.imports),
                "set": self.set_name,
                "members": list(self.members),
                "choices": dict(self.choices),
                "files": {purpose: list(file) for purpose, file in self.files.items()},
                "code": self.code,
            }
        )

    @property
    def factors_id(self) -> str:
        """Hash of the data sets in their order and the revisions of codes: what a bridge calls the edition."""
        said = {"members": list(self.members), "revisions": self.files[REVISIONS][0]}
        return file_id(canonical(said))


def pin_of(inputs: Inputs, period: int, imports: tuple[int, ...]) -> Pin:
    """The pin of inputs that are at hand."""
    return Pin(
        period,
        imports,
        STARTER if inputs.factor_set.is_starter else Path(inputs.factor_set.name).name,
        tuple(member.dataset_id for member in inputs.factor_set.members),
        inputs.policy.facts(),
        {purpose: (file_id(path.read_bytes()), path.name) for purpose, path in inputs.files.items()},
        version("headrace"),
    )


def pin_from(body: bytes) -> Pin:
    """What `Pin.body` gave."""
    said = json.loads(body)
    return Pin(
        said["period"],
        tuple(said["imports"]),
        said["set"],
        tuple(said["members"]),
        said["choices"],
        {purpose: (file[0], file[1]) for purpose, file in said["files"].items()},
        said["code"],
    )


def keep_inputs(conn: psycopg.Connection[Any], inputs: Inputs) -> None:
    """Keep all that a pin of these names. Cost: a round trip, and some 5 us a figure that is new."""
    keep_datasets(conn, inputs.factor_set.members)
    keep_files(conn, inputs.files.values())


def inputs_of(conn: psycopg.Connection[Any], pin: Pin, folder: Path) -> Inputs:
    """What a pin names, read from the database.

    Args:
        folder: for the files; it may go once this returns.
    Raises StoreError: something is not there, or is not what its hash says.
    """
    files = read_files(conn, pin.files, folder)
    members = tuple(read_dataset(conn, dataset_id) for dataset_id in pin.members)
    revisions_file = files.pop(REVISIONS)
    factor_set = FactorSet(
        pin.set_name,
        members,
        read_revisions(revisions_file),
        is_starter=pin.set_name == STARTER,
        revisions_file=revisions_file,
    )
    return Inputs(factor_set, of_choices(pin.choices, files))
