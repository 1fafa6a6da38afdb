from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.errors import ConfigError
from core.terminal.option_names import in_options
from core.workloads.identity.cli.match_options import matching_request


def _options(**changes: Any) -> dict[str, Any]:
    plain = {"input": "a.csv", "id_column": "id", "spec": "persons", "link": (), "one_to_one": False}
    return plain | {"bad_rows": "raise", "out": None} | changes


def test_maps_may_be_repeated_or_joined_by_commas() -> None:
    request = matching_request(_options(), ["last_name=surname,zip=postcode", "street=no+road", "email="])
    assert request.mapping == {"last_name": "surname", "zip": "postcode", "street": "no+road", "email": ""}


@pytest.mark.parametrize("text", ["surname", "=surname"])
def test_map_without_field_or_sign_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="write field=column"):
        matching_request(_options(), [text])


def test_field_mapped_twice_is_refused() -> None:
    with pytest.raises(ConfigError, match="field zip is mapped twice"):
        matching_request(_options(), ["zip=a", "zip=b"])


def test_unknown_choice_names_option_and_value() -> None:
    with pytest.raises(ConfigError, match=r"--bad-rows: .*'raise' or 'quarantine'.*got 'skip'"):
        matching_request(_options(bad_rows="skip"), [])


def test_out_is_checked_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="ending must be .parquet or .csv") as refused:
        matching_request(_options(out=str(tmp_path / "x.txt")), [])
    assert in_options(refused.value) == f"--out {tmp_path / 'x.txt'}: the ending must be .parquet or .csv"
    with pytest.raises(ConfigError, match="there is no folder"):
        matching_request(_options(out=str(tmp_path / "no" / "x.csv")), [])


def test_paths_become_absolute_and_quarantine_lies_beside_out(tmp_path: Path) -> None:
    request = matching_request(_options(out=str(tmp_path / "x.csv"), bad_rows="quarantine"), [])
    assert Path(request.input).is_absolute()
    assert request.quarantine == str(tmp_path / "x.bad.csv")
