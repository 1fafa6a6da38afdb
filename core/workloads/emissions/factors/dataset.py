"""An immutable set of factors: what one edition of a publisher says, named by the hash of its rows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

Valuation = Literal["purchaser", "producer"]


@dataclass(frozen=True, slots=True)
class Edition:
    """Who says it, and on what terms.

    Attributes:
        source: name of the loader's publisher, such as `desnz`. patch: of an edition that was corrected.
        year: the year that the figures stand for, which is not that of their release.
        gwp_set: of figures in CO2e; None where they are masses of gases only.
        currency, price_year, valuation: of factors a currency unit.
        screening: good enough to find what matters, and marked wherever it is used. restricted: values may not leave.
    """

    source: str
    edition: str
    patch: str = ""
    year: int = 0
    region: str = ""
    licence: str = ""
    gwp_set: str | None = None
    currency: str = ""
    price_year: int | None = None
    valuation: Valuation | None = None
    screening: bool = False
    restricted: bool = False


@dataclass(frozen=True, slots=True)
class Factor:
    """One figure of a publisher.

    Attributes:
        key: the publisher's own. locator: `row 12`, or `sheet!12`. scheme, code: what it is a factor of.
        unit: spelling of the unit below the stroke: kg CO2e a `unit`.
        value: plain decimal text of kg CO2e a unit; None where the publisher's cell is blank, which is no 0.
        without_margins: of factors at purchaser price: the same, without what trade and transport add.
        gases: kg a unit by gas, as (with margins, without margins); empty where only CO2e is given.
        error_group: factors of one group are wrong together. reference: code of a coarser scheme.
        ln_sd: standard deviation of the logarithm, where the publisher states one.
    """

    key: str
    locator: str
    scheme: str
    code: str
    label: str
    unit: str
    value: str | None
    without_margins: str | None = None
    region: str = ""
    gases: tuple[tuple[str, str, str], ...] = ()
    error_group: str = ""
    reference: str = ""
    ln_sd: float | None = None
    margin_share: str | None = None


@dataclass(frozen=True, slots=True)
class Dataset:
    """factors: in the order of the hash, so that number n (from 1) is the same figure wherever the set is loaded."""

    edition: Edition
    factors: tuple[Factor, ...]
    file_sha256: str
    dataset_id: str
    notices: tuple[str, ...] = field(default=())


def dataset_of(edition: Edition, factors: Iterable[Factor], file_sha256: str, notices: Sequence[str] = ()) -> Dataset:
    """A data set, its factors ordered by what they say; the same content has the same id whatever file it came in."""
    ordered = tuple(sorted(factors, key=lambda factor: (factor.scheme, factor.code, factor.unit, factor.key)))
    digest = hashlib.sha256(_line(_facts(edition)))
    for factor in ordered:
        digest.update(_line({name: value for name, value in _facts(factor).items() if name != "locator"}))
    return Dataset(edition, ordered, file_sha256, digest.hexdigest(), tuple(notices))


def to_dict(dataset: Dataset) -> dict[str, Any]:
    """As JSON takes it."""
    return {
        "dataset_id": dataset.dataset_id,
        "file_sha256": dataset.file_sha256,
        "edition": asdict(dataset.edition),
        "factors": [_facts(factor) for factor in dataset.factors],
    }


def from_dict(said: Mapping[str, Any]) -> Dataset:
    """What `to_dict` gave; the id is computed again, so a changed file shows."""
    factors = (
        Factor(
            **{"value": None, **row, "gases": tuple((gas, whole, part) for gas, whole, part in row.get("gases", ()))}
        )
        for row in said["factors"]
    )
    return dataset_of(Edition(**said["edition"]), factors, said["file_sha256"])


def _facts(record: Edition | Factor) -> dict[str, Any]:
    """Fields that say something."""
    found = {each.name: getattr(record, each.name) for each in fields(record)}
    return {name: value for name, value in found.items() if value not in (None, "", (), False, 0)}


def _line(facts: Mapping[str, Any]) -> bytes:
    return json.dumps(facts, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
