"""Factor sets: the data sets that a run may take figures from, in order of preference."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import yaml

from core.errors import ConfigError, InputError
from core.workloads.emissions.factors.dataset import Dataset, dataset_of
from core.workloads.emissions.factors.loaders import (
    cornerstone,
    desnz_flat,
    desnz_workbook,
    ecoinvent,
    epa_hub,
    epa_supply_chain,
    own_csv,
)
from core.workloads.emissions.factors.revisions import SHIPPED as SHIPPED_REVISIONS
from core.workloads.emissions.factors.revisions import Revisions, read_revisions, shipped_revisions

STARTER: Final = "starter"
_SHIPPED: Final = Path(__file__).parent / "starter"
STARTER_FILES: Final = tuple(_SHIPPED / f"{name}.csv" for name in ("epa_supply_chain", "desnz", "epa_hub"))
STARTER_FX: Final = _SHIPPED / "fx.csv"
STARTER_PRICES: Final = _SHIPPED / "prices.csv"


def load_desnz(path: Path) -> Dataset:
    """DESNZ's flat file or its workbook, as the file's ending tells."""
    return desnz_workbook.load(path) if path.suffix.casefold() in {".xlsx", ".xlsm"} else desnz_flat.load(path)


LOADERS: Final[Mapping[str, Callable[[Path], Dataset]]] = {
    "epa-supply-chain": epa_supply_chain.load,
    "epa-hub": epa_hub.load,
    "desnz": load_desnz,
    "cornerstone": cornerstone.load,
    "ecoinvent": ecoinvent.load,
    "csv": own_csv.load,
}
_REVISIONS: Final = "naics"


@dataclass(frozen=True, slots=True)
class FactorSet:
    """members: the preferred first. name: as the user called it; is_starter: also brings rates and indices.

    revisions_file: what `revisions` were read from.
    """

    name: str
    members: tuple[Dataset, ...]
    revisions: Revisions
    is_starter: bool = False
    revisions_file: Path = SHIPPED_REVISIONS

    @property
    def set_id(self) -> str:
        """Hash of the members in their order."""
        return hashlib.sha256("\n".join(member.dataset_id for member in self.members).encode()).hexdigest()


def starter_set() -> FactorSet:
    """What is shipped, marked screening."""
    loaded = [own_csv.load(path) for path in STARTER_FILES]
    members = tuple(
        dataset_of(replace(each.edition, screening=True), each.factors, each.file_sha256, each.notices)
        for each in loaded
    )
    return FactorSet(STARTER, members, shipped_revisions(), is_starter=True)


def load_one(loader: str, path: Path) -> Dataset:
    """One file. Raises ConfigError: no such loader; InputError: the file is not there or cannot be read."""
    if loader not in LOADERS:
        raise ConfigError(f"there is no loader {loader!r}; there are {', '.join((*LOADERS, _REVISIONS))}")
    if not path.is_file():
        raise InputError(
            f"{path} is not there; fetch it from its publisher: `headrace factors sources`", path=str(path)
        )
    return LOADERS[loader](path)


def read_set(path: Path) -> FactorSet:
    """A YAML file `members: [{loader: desnz, file: PATH}, ...]`, paths relative to it.

    Raises ConfigError: it has another form, no member with factors, or two members of one edition that differ.
    """
    said = _said(path)
    members: list[Dataset] = []
    revisions, revisions_file = shipped_revisions(), SHIPPED_REVISIONS
    for number, member in enumerate(said, 1):
        if not isinstance(member, dict) or not {"loader", "file"} <= set(member):
            raise ConfigError(f"{path}: member {number} is not {{loader: NAME, file: PATH}}")
        file = path.parent / str(member["file"])
        if member["loader"] == _REVISIONS:
            revisions, revisions_file = read_revisions(file), file
        else:
            members.append(load_one(str(member["loader"]), file))
    if not members:
        raise ConfigError(f"{path} names no member with factors")
    refuse_two_contents(members, str(path))
    return FactorSet(str(path), tuple(members), revisions, revisions_file=revisions_file)


def refuse_two_contents(members: Sequence[Dataset], where: str) -> None:
    """Raise ConfigError: one edition with two contents."""
    seen: dict[tuple[str, str, str], str] = {}
    for member in members:
        edition = (member.edition.source, member.edition.edition, member.edition.patch)
        other = seen.setdefault(edition, member.dataset_id)
        if other != member.dataset_id:
            raise ConfigError(
                f"{where}: {' '.join(filter(None, edition))} has two contents ({other[:12]} and "
                f"{member.dataset_id[:12]}); one edition is one content, a correction is another patch"
            )


def _said(path: Path) -> list[Any]:
    try:
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path} cannot be read as YAML ({type(error).__name__})") from None
    if not isinstance(said, dict) or not isinstance(said.get("members"), list):
        raise ConfigError(f"{path} is not 'members: [{{loader: NAME, file: PATH}}, ...]'")
    return list(said["members"])
