from __future__ import annotations

import pickle

import pytest

from core.errors import ConfigError
from core.terminal.option_names import in_options, named_options, option_of


@pytest.mark.parametrize(
    ("field", "option"),
    [("link", "--link"), ("bad_rows", "--bad-rows"), ("id_column", "--id"), ("mapping", "--map")],
)
def test_option_of_a_field_is_that_of_match(field: str, option: str) -> None:
    assert option_of(field) == option


def test_notices_name_options_and_leave_other_words() -> None:
    said = "3 years have two digits (`year_pivot` sets the first year); see `headrace match`"
    assert named_options(said) == "3 years have two digits (--year-pivot sets the first year); see `headrace match`"


def test_fields_become_options_and_other_words_stay() -> None:
    error = ConfigError("`one_to_one` wants `link`: see `headrace match`, or `out`", fields=("one_to_one", "link"))
    assert in_options(error) == "--one-to-one wants --link: see `headrace match`, or `out`"
    assert in_options(pickle.loads(pickle.dumps(error))) == in_options(error)
    assert in_options(ConfigError("`link` is a word")) == "`link` is a word"
