"""What is shipped is what the cut makes of the publishers' files, here of cut-outs of them."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from core.workloads.emissions.factors.starter.cut import HERE, cut

FILES = Path(__file__).parents[1] / "files"
NAMES = ("epa_supply_chain.csv", "epa_hub.csv", "desnz.csv", "fx.csv", "prices.csv", "naics_changes.csv")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("starter")
    cut(FILES, folder)
    return folder


def rows(path: Path) -> list[dict[str, str]]:
    """All but where a figure stands: rows of a cut-out have other numbers than those of the whole file."""
    with path.open(encoding="utf-8", newline="") as file:
        return [{name: cell for name, cell in row.items() if name != "locator"} for row in csv.DictReader(file)]


@pytest.mark.parametrize("name", NAMES)
def test_the_cut_is_read_again(made: Path, name: str) -> None:
    assert rows(made / name) == rows(HERE / name)
