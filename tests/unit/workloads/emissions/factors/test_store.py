"""Data sets that are kept, and the sets they are members of."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import ConfigError, InputError
from core.workloads.emissions.factors.comparing import compare
from core.workloads.emissions.factors.loaders import desnz_flat, epa_supply_chain
from core.workloads.emissions.factors.store import FactorStore

FILES = Path(__file__).with_name("files")
FLAT = FILES / "desnz_2025_flat_cut.csv"
BY_GAS = FILES / "epa_supply_chain_v1.3.0_byghg_cut.csv"


def test_what_is_kept_comes_back_whole_and_once(tmp_path: Path) -> None:
    store = FactorStore(tmp_path)
    flat, by_gas = desnz_flat.load(FLAT), epa_supply_chain.load(BY_GAS)
    assert [store.keep(dataset, "ours") for dataset in (flat, by_gas, flat)] == [True, True, False]
    found = store.factor_set("ours")
    assert [(member.dataset_id, member.factors) for member in found.members] == [
        (flat.dataset_id, flat.factors),
        (by_gas.dataset_id, by_gas.factors),
    ]
    assert store.names() == ["ours"]


def test_a_changed_file_another_content_and_unknown_names_are_refused(tmp_path: Path) -> None:
    store = FactorStore(tmp_path / "store")
    flat = desnz_flat.load(FLAT)
    store.keep(flat, "ours")
    other = tmp_path / "other.csv"
    other.write_text(FLAT.read_text(encoding="utf-8").replace("0.03021", "0.03022"), encoding="utf-8")
    with pytest.raises(ConfigError, match="the set ours: desnz 2025 has two contents"):
        store.keep(desnz_flat.load(other), "ours")
    with pytest.raises(ConfigError, match="there is no set of factors 'mine' in .*; there are: ours"):
        store.factor_set("mine")
    with pytest.raises(ConfigError, match="is no name of a set"):
        store.keep(flat, "../ours")
    kept = next((tmp_path / "store" / "datasets").iterdir())
    kept.write_text(kept.read_text(encoding="utf-8").replace("0.03021", "0.3021"), encoding="utf-8")
    with pytest.raises(InputError, match="was changed: its content is"):
        store.factor_set("ours")


def test_editions_are_compared_figure_by_figure() -> None:
    old, new = (epa_supply_chain.load(FILES / f"epa_supply_chain_{name}_co2e_cut.csv") for name in ("v1.2", "v1.3.0"))
    found = compare(old, new, 1)
    assert (found["both"], found["only_before"]) == (5, 0)
    assert found["moved"] == [{"code": "562212", "unit": "USD", "before": "10.989", "after": "0.988", "ratio": "0.090"}]
