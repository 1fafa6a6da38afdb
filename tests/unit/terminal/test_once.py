"""An option with one value is given once; flags and lists as often as one likes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command import headrace


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (["match", "a.csv", "--out", "b.csv", "--out", "c.csv"], "--out"),
        (["match", "a.csv", "--id=x", "--id", "y"], "--id"),
        (["queue", "top", "--interval", "1", "--interval", "2"], "--interval"),
    ],
)
def test_an_option_of_one_value_that_is_given_twice_is_refused_by_name(words: list[str], option: str) -> None:
    said = headrace(*words)
    assert said.returncode == 2
    assert said.stderr == f"headrace: {option} is given twice; it takes one value, so give it once\n"


def test_flags_and_options_that_collect_values_may_be_repeated(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id\n1\n")
    repeated = ["--json", "--json", "--link", "b.csv", "--link", "c.csv", "--map", "dob=", "--map", "zip="]
    said = headrace("match", "a.csv", *repeated, cwd=tmp_path)
    assert "twice" not in said.stderr
    assert "b.csv: no such file" in said.stderr
