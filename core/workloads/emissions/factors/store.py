"""Data sets kept in a folder: one file each, named by its hash, never changed; and named sets of them."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from core.errors import ConfigError, InputError
from core.workloads.emissions.factors.dataset import Dataset, from_dict, to_dict
from core.workloads.emissions.factors.revisions import shipped_revisions
from core.workloads.emissions.factors.sets import FactorSet, refuse_two_contents

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


@dataclass(frozen=True, slots=True)
class FactorStore:
    """folder: made when something is kept."""

    folder: Path

    def keep(self, dataset: Dataset, name: str) -> bool:
        """Keep a data set and append it to a named set; False: the set had it already.

        Raises ConfigError: the name is none, or the set has the edition with another content.
        """
        if not _NAME.fullmatch(name):
            raise ConfigError(f"{name!r} is no name of a set: small letters, digits, - and _, at most 63")
        members = self.members(name)
        if dataset.dataset_id in members:
            return False
        refuse_two_contents([*map(self.read, members), dataset], f"the set {name}")
        path = self._file(dataset.dataset_id)
        if not path.exists():
            _write(path, to_dict(dataset))
        _write(self._set_file(name), {"members": [*members, dataset.dataset_id]})
        return True

    def members(self, name: str) -> list[str]:
        """Ids of a set in order of preference; none of a set that is not there."""
        path = self._set_file(name)
        if not path.exists():
            return []
        return [str(member) for member in json.loads(path.read_text(encoding="utf-8"))["members"]]

    def names(self) -> list[str]:
        """Names of the sets that there are."""
        return sorted(path.stem for path in (self.folder / "sets").glob("*.json"))

    def read(self, dataset_id: str) -> Dataset:
        """A kept data set. Raises InputError: it is not there, or its content is not what its name says."""
        path = self._file(dataset_id)
        try:
            found = from_dict(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError):
            raise InputError(f"{path} holds no data set; load it again: `headrace factors load`") from None
        if found.dataset_id != dataset_id:
            raise InputError(f"{path} was changed: its content is {found.dataset_id[:12]}, not what its name says")
        return found

    def factor_set(self, name: str) -> FactorSet:
        """A named set. Raises ConfigError: there is none of that name."""
        members = self.members(name) if _NAME.fullmatch(name) else []
        if not members:
            known = ", ".join(self.names()) or "none"
            raise ConfigError(f"there is no set of factors {name!r} in {self.folder}; there are: {known}")
        return FactorSet(name, tuple(map(self.read, members)), shipped_revisions())

    def _file(self, dataset_id: str) -> Path:
        return self.folder / "datasets" / f"{dataset_id}.json"

    def _set_file(self, name: str) -> Path:
        return self.folder / "sets" / f"{name}.json"


def _write(path: Path, said: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.partial")
    part.write_text(json.dumps(said, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
    os.replace(part, path)
