"""A request that cannot be meant is refused by the names of its fields; the command line makes options of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.errors import ConfigError, InputError
from core.linkage.request import MatchRequest
from core.linkage.request_checks import check_here, check_places, check_request
from core.terminal.option_names import in_options

WITHIN_ONE = (
    "are for a match within one file, not across files with --link; "
    "give the files as parts of one table, INPUT FILE ..., or leave these out"
)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"link": ("b.csv",), "against": "out.csv"}, f"--against and --decisions {WITHIN_ONE}"),
        ({"link": ("b.csv",), "decisions": "said.csv"}, f"--against and --decisions {WITHIN_ONE}"),
        ({"against": "out.csv", "model": "m.json"}, "--against brings the model of its run; leave out --model"),
        (
            {"link": ("b.csv",), "lookup": True},
            "--lookup is for a match within one file, not across files with --link",
        ),
        ({"link_id": ("no",)}, "--link-id names columns of files given with --link; there are none"),
        (
            {"link": ("b.csv", "c.csv", "d.csv"), "link_mapping": ({}, {})},
            "--link-map has 2 entries for 3 files of --link; give one for all, or one for each",
        ),
        (
            {"mapping": {"zip": "plz", "city": "plz"}},
            "--map: the column plz is mapped twice, to zip and to city; a column serves one field",
        ),
        (
            {"link": ("b.csv",), "link_mapping": ({"dob": "a", "zip": "a"},)},
            "--link-map: the column a is mapped twice, to dob and to zip; a column serves one field",
        ),
        ({"one_to_one": True}, "--one-to-one pairs the records of several files; give the others with --link"),
        ({"shared": ("b.csv",)}, "--shared pairs the records of several files; give the others with --link"),
        ({"reference": "b.csv"}, "--reference pairs the records of several files; give the others with --link"),
        (
            {"link": ("b.csv",), "shared": ("b.csv",), "one_to_one": True},
            "--one-to-one and --shared say different things of who has how many partners; leave out one",
        ),
        (
            {"link": ("b.csv",), "shared": ("b.csv",), "one_to_one": False},
            "--one-to-one and --shared say different things of who has how many partners; leave out one",
        ),
        (
            {"link": ("b.csv",), "shared": ("b.csv",), "reference": "0"},
            "--shared and --reference say different things of who has how many partners; leave out one",
        ),
        (
            {"link": ("b.csv",), "reference": "c.csv"},
            "--reference c.csv: no file of this match; they are 0 a.csv, 1 b.csv",
        ),
        (
            {"entities": "golden.csv"},
            "--entities goes with --out: the records say by entity_id to which golden record they belong",
        ),
    ],
)
def test_fields_that_exclude_each_other_are_refused_by_name(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        check_request(MatchRequest(input="a.csv", id_column="id", **fields))
    assert in_options(refused.value) == said
    assert "--" not in refused.value.message
    assert set(fields) & set(refused.value.fields)


def test_inputs_are_looked_for(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none.csv: no such file"):
        check_request(MatchRequest(input=str(tmp_path / "none.csv"), id_column="id"))
    with pytest.raises(InputError, match="no file in this folder"):
        check_request(MatchRequest(input=str(tmp_path), id_column="id"))
    (tmp_path / "part.csv").write_text("id\n1\n")
    check_request(MatchRequest(input=str(tmp_path), id_column="id"))
    with pytest.raises(InputError, match=r"part.csv is named twice"):
        check_request(MatchRequest(input=str(tmp_path), more=(str(tmp_path / "*.csv"),), id_column="id"))


def test_out_where_no_file_can_be_made_is_refused_whatever_permissions_say() -> None:
    with pytest.raises(ConfigError, match="`out` /proc/x.csv: cannot be written; choose another place"):
        check_places("/proc/x.csv", None)


def test_golden_records_need_a_place_of_their_own_that_can_be_written(tmp_path: Path) -> None:
    out = str(tmp_path / "out.csv")
    check_places(out, str(tmp_path / "golden.parquet"))
    with pytest.raises(ConfigError, match="`entities` .*golden.txt: the ending must be .parquet, .csv or .xlsx"):
        check_places(out, str(tmp_path / "golden.txt"))


def test_lists_for_lookups_are_of_the_queue() -> None:
    with pytest.raises(ConfigError) as refused:
        check_here(MatchRequest(input="a.csv", id_column="id", lookup=True))
    assert in_options(refused.value) == "--lookup is for what is published in the database; add --via prefect"
