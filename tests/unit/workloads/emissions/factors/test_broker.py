"""Look-ups by the very code in a pinned set."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import polars as pl
import pytest

from core.errors import InputError
from core.workloads.emissions.factors.broker import FactorBroker
from core.workloads.emissions.factors.loaders import epa_supply_chain
from core.workloads.emissions.factors.revisions import shipped_revisions
from core.workloads.emissions.factors.sets import FactorSet

FILES = Path(__file__).with_name("files")


def broker(*names: str) -> FactorBroker:
    members = tuple(epa_supply_chain.load(FILES / f"epa_supply_chain_{name}_cut.csv") for name in names)
    return FactorBroker(FactorSet("cut-outs", members, shipped_revisions()), "naics-2017")


def test_one_and_many_say_the_same() -> None:
    found = broker("v1.3.0_co2e")
    assert found.one("541511")[2:] == ("USD", Fraction("0.084"))
    many = found.many(pl.Series(["327310", "nothing", None, "541511"]))
    assert many["kg_a_unit"].to_list() == [3.924, None, None, 0.084]
    assert many["factor_no"][3] == found.one("541511")[1]
    with pytest.raises(InputError, match="no figure for naics-2017 221122"):
        found.one("221122")


def test_the_preferred_member_answers_and_gases_are_added_up() -> None:
    assert float(broker("v1.2_co2e", "v1.3.0_co2e").one("562212")[3]) == 10.989
    assert round(float(broker("v1.3.0_byghg").one("562212")[3]), 5) == 0.98920
