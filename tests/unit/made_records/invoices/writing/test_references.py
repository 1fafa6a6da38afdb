"""How payers write numbers."""

import numpy as np
import polars as pl

from core.made_records.draws import Draws
from core.made_records.invoices.writing.references import listed, mistyped, ranges, written


def test_written_keeps_clean_numbers_and_changes_all_others() -> None:
    numbers = pl.Series(["RE-2024-000123"] * 10 + ["12034"] * 10)
    style = np.tile(np.arange(10), 2)
    assert written(numbers, np.ones(20, dtype=np.bool_), style).to_list() == numbers.to_list()
    dirty = written(numbers, np.zeros(20, dtype=np.bool_), style)
    assert set(dirty[:10]) == {"2024000123", "123", "RE-2024 -000123", "re2024000123", "RE.2024.000123"}
    assert set(dirty[10:]) == {"12 034", "12.034"}


def test_mistyped_numbers_have_one_slip_in_the_running_number() -> None:
    slips = mistyped(["RE-2024-001203"] * 400, np.arange(400), Draws(1))
    assert all(slip != "RE-2024-001203" for slip in slips)
    assert all(slip.startswith("RE-2024-0") for slip in slips)
    assert {len(slip) for slip in slips} == {13, 14, 15}
    assert any("O" in slip.removeprefix("RE-") for slip in slips)


def test_listed_joins_the_texts_of_one_line_in_their_order() -> None:
    lists = listed(np.array([3, 3, 3, 8]), pl.Series(["a", "b", "c", "d"]), np.zeros(4, dtype=np.int64))
    assert lists.rows() == [(3, "a, b, c", "a", "c"), (8, "d", "d", "d")]


def test_ranges_say_first_and_last() -> None:
    numbers = pl.DataFrame({"first": ["F1201"] * 60, "last": ["F1204"] * 60})
    assert set(ranges(numbers, np.arange(60), Draws(1))) == {"F1201-F1204", "F1201 bis F1204", "F1201 - 04"}
    far = pl.DataFrame({"first": ["F1199"], "last": ["F1202"]})
    assert all(ranges(far, np.array([n]), Draws(1))[0].endswith("F1202") for n in range(10))
