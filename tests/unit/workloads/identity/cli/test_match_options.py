from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperCommand

from core.errors import ConfigError
from core.terminal.option_names import in_options
from core.workloads.identity.cli.match_options import (
    files_and_maps,
    matching_request,
    only_removed,
    refuse_half_erased,
)


def _options(**changes: Any) -> dict[str, Any]:
    plain = {"input": "a.csv", "id_column": "id", "spec": "persons", "link": (), "one_to_one": False}
    return plain | {"bad_rows": "raise", "out": None} | changes


def test_maps_may_be_repeated_or_joined_by_commas() -> None:
    request = matching_request(_options(), ["last_name=surname,zip=postcode", "street=no+road", "email="])
    assert request.mapping == {"last_name": "surname", "zip": "postcode", "street": "no+road", "email": ""}


def test_words_behind_the_input_are_files_or_maps(tmp_path: Path) -> None:
    odd = tmp_path / "zip=3"
    odd.touch()
    words = ["b.csv", "zip=a.b", "street=no+road", str(odd), "c*", "d/e", "table:crm.people", "email="]
    context = typer.Context(TyperCommand("match"))
    assert files_and_maps(context, words) == (
        ["b.csv", str(odd), "c*", "d/e", "table:crm.people"],
        ["zip=a.b", "street=no+road", "email="],
    )
    with pytest.raises(ConfigError, match="'10' is neither a file nor field=column"):
        files_and_maps(context, ["10"])


def test_rows_set_aside_of_a_pattern_lie_beside_its_folder(tmp_path: Path) -> None:
    request = matching_request(
        _options(input=str(tmp_path / "people" / "*.csv"), bad_rows="quarantine", more=["x.csv"]), []
    )
    assert request.quarantine == str(tmp_path / "people.bad.csv")
    assert request.more == (str(Path("x.csv").absolute()),), "workers may stand in another folder"


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
    with pytest.raises(ConfigError, match="ending must be .parquet, .csv or .xlsx") as refused:
        matching_request(_options(out=str(tmp_path / "x.txt")), [])
    assert in_options(refused.value) == f"--out {tmp_path / 'x.txt'}: the ending must be .parquet, .csv or .xlsx"
    with pytest.raises(ConfigError, match="there is no folder"):
        matching_request(_options(out=str(tmp_path / "no" / "x.csv")), [])


def test_paths_become_absolute_and_quarantine_lies_beside_out(tmp_path: Path) -> None:
    request = matching_request(_options(out=str(tmp_path / "x.csv"), bad_rows="quarantine"), [])
    assert Path(request.input).is_absolute()
    assert request.quarantine == str(tmp_path / "x.bad.csv")


def test_without_input_records_are_removed_or_nothing_is_said(tmp_path: Path) -> None:
    assert only_removed(tmp_path / "gone.csv", "out.parquet") == str(tmp_path / "gone.csv")
    for removed, against in ((None, "out.parquet"), (tmp_path / "gone.csv", None), (None, None)):
        with pytest.raises(ConfigError, match="headrace match INPUT"):
            only_removed(removed, against)


def test_what_a_job_published_is_erased_through_the_database_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="only --via prefect takes them out"):
        refuse_half_erased("3", "local", changes=True)
    refuse_half_erased("3", "prefect", changes=True)
    refuse_half_erased("3", "local", changes=False)
    (tmp_path / "3").touch()
    refuse_half_erased("3", "local", changes=True)
