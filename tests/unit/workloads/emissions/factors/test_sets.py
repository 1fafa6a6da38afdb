"""Sets of data sets: the starter, and those of a YAML file."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import ConfigError, InputError
from core.workloads.emissions.factors.sets import read_set, starter_set

FILES = Path(__file__).with_name("files")


def write(folder: Path, text: str) -> Path:
    path = folder / "factors.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_starter_is_some_eighty_figures_and_marked() -> None:
    found = starter_set()
    assert sum(len(member.factors) for member in found.members) == 80
    assert all(member.edition.screening and member.edition.licence for member in found.members)
    assert all(factor.locator for member in found.members for factor in member.factors)


def test_members_are_read_in_their_order(tmp_path: Path) -> None:
    said = f"members:\n- {{loader: desnz, file: {FILES}/desnz_2025_flat_cut.csv}}\n"
    said += f"- {{loader: epa-supply-chain, file: {FILES}/epa_supply_chain_v1.3.0_co2e_cut.csv}}\n"
    said += f"- {{loader: naics, file: {FILES}/naics_2002_to_2022_cut.csv}}\n"
    found = read_set(write(tmp_path, said))
    assert [member.edition.source for member in found.members] == ["desnz", "epa-supply-chain"]
    assert found.revisions.to_2017("2022", "513210") == {"511210"}
    assert "541511" in found.revisions.known["2017"]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("members: []", "names no member"),
        ("- 1", "is not 'members"),
        ("members: [{loader: epa}]", "member 1 is not"),
        ("members: [{loader: nobody, file: x.csv}]", "there is no loader 'nobody'"),
    ],
)
def test_a_set_of_another_form_is_refused(tmp_path: Path, said: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        read_set(write(tmp_path, said))


def test_a_file_that_is_not_there_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.csv is not there"):
        read_set(write(tmp_path, "members: [{loader: desnz, file: gone.csv}]"))


def test_one_edition_with_two_contents_is_refused(tmp_path: Path) -> None:
    whole = (FILES / "desnz_2025_flat_cut.csv").read_text(encoding="utf-8")
    (tmp_path / "a.csv").write_text(whole, encoding="utf-8")
    (tmp_path / "b.csv").write_text(whole.replace("0.03021", "0.03022"), encoding="utf-8")
    with pytest.raises(ConfigError, match="desnz 2025 has two contents"):
        read_set(write(tmp_path, "members: [{loader: desnz, file: a.csv}, {loader: desnz, file: b.csv}]"))
