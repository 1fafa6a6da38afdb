from __future__ import annotations

import sys
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ConfigError, ResultsError, ServiceUnavailable
from core.queue.batches import RowFailure
from core.queue.handlers import Fates, HandlerResult, corner, fates, handles, judged, load_handler, merged
from core.queue.leases.blame import Blame, blame


def frame(*seqs: int) -> pl.DataFrame:
    return pl.DataFrame({"seq": seqs}, schema={"seq": pl.Int64})


def results(*seqs: int) -> pl.DataFrame:
    return frame(*seqs).with_columns(output=pl.lit("1"))


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Name of a user's module."""
    (tmp_path / "users_jobs.py").write_text("def score(rows):\n    return rows\nlimit = 3\n")
    (tmp_path / "users_broken.py").write_text("import a_package_that_is_not_there\n")
    (tmp_path / "users_odd.py").write_text("x = {}['the secret key']\n")
    (tmp_path / "users_unread.py").write_text("limit = 3\ndef score(rows:\n    return 'the secret key'\n")
    (tmp_path / "users_leaves.py").write_text("import sys\nsys.exit('the secret key')\n")
    (tmp_path / "users_late.py").write_text("raise TimeoutError('the secret key')\n")
    (tmp_path / "users_bytes.py").write_text(
        "import polars as pl\nfrom core.queue.handlers import handles\n"
        "@handles(schema={'v': pl.Binary})\ndef score(rows):\n    return rows\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    return "users_jobs"


def test_a_handler_is_loaded_by_its_name(module: str) -> None:
    work = load_handler(f"{module}:score")
    assert (work.name, work.schema, work.flow_name) == ("users_jobs:score", None, None)
    assert work.call is sys.modules[module].score


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("users_jobs", "not of the form module:function"),
        (":score", "not of the form module:function"),
        ("nowhere.at_all:score", "there is no such module"),
        ("users_broken:score", "imports a_package_that_is_not_there, which is not installed"),
        ("users_odd:score", "importing users_odd raises KeyError at users_odd:1"),
        ("users_unread:score", "importing users_unread raises SyntaxError at users_unread.py:2"),
        ("users_leaves:score", "importing users_leaves raises SystemExit at users_leaves:2"),
        ("users_bytes:score", "declares the field v as Binary"),
        ("users_jobs:scare", "did you mean score"),
        ("users_jobs:zzz", "it has score"),
        ("users_jobs:limit", "is a int, not a function"),
    ],
)
def test_what_cannot_be_loaded_is_named(module: str, spec: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        load_handler(spec)
    assert "secret" not in str(caught.value)


def test_a_module_that_finds_a_service_away_may_find_it_later(module: str) -> None:
    with pytest.raises(
        ServiceUnavailable, match="cannot be loaded now: importing users_late raises TimeoutError"
    ) as caught:
        load_handler("users_late:score")
    assert caught.value.exit_code == 75
    assert "secret" not in str(caught.value)


def test_a_declared_schema_and_flow_are_kept() -> None:
    @handles(flow="f", schema={"n": pl.Int64})
    def kept(rows: pl.DataFrame) -> pl.DataFrame:
        return rows

    assert kept(frame(1)).height == 1


def test_every_row_gets_one_fate() -> None:
    assert fates(frame(1, 2), results(1, 2)).failures == []
    told = fates(frame(1, 2, 3, 4), HandlerResult(results(3, 1, 1), [RowFailure(4, "X"), RowFailure(3, "X")]))
    assert told.results is not None
    assert told.results["seq"].to_list() == []
    assert sorted((one.seq, one.error_class) for one in told.failures) == [
        (1, "ResultTwice"),
        (2, "ResultMissing"),
        (3, "ResultTwice"),
        (4, "X"),
    ]


def test_a_handler_may_answer_in_any_order_and_without_results() -> None:
    told = fates(frame(1, 2), results(2, 1))
    assert (told.failures, told.results is not None) == ([], True)
    silent = fates(frame(1, 2), HandlerResult(failures=[RowFailure(2, "X\0", "why\0")]))
    assert (silent.results, silent.failures) == (None, [RowFailure(2, "X", "why")])


@pytest.mark.parametrize(
    ("returned", "error_class"),
    [
        (None, "ResultMalformed"),
        ([{"seq": 1}], "ResultMalformed"),
        (HandlerResult([1]), "ResultMalformed"),  # type: ignore[arg-type]
        (frame(1), "ResultMalformed"),
        (results(1).with_columns(extra=1), "ResultMalformed"),
        (results(1).with_columns(pl.col("seq").cast(pl.Float64)), "ResultMalformed"),
        (results(1).with_columns(seq=None), "ResultMalformed"),
        (results(1).with_columns(output=1.5), "ResultMalformed"),
        (HandlerResult(results(), ["row 1"]), "ResultMalformed"),  # type: ignore[list-item]
        (HandlerResult(results(), [RowFailure(1, "X", fault="odd")]), "ResultMalformed"),  # type: ignore[arg-type]
        (results(1, 9), "ResultUnknown"),
        (HandlerResult(results(1), [RowFailure(9, "X")]), "ResultUnknown"),
    ],
)
def test_what_cannot_be_used_is_refused(returned: object, error_class: str) -> None:
    with pytest.raises(ResultsError) as caught:
        fates(frame(1), returned)
    assert caught.value.error_class == error_class
    assert blame(caught.value).error_class == error_class


@given(st.integers(1, 200), st.sets(st.integers(0, 199), max_size=8))
def test_corner_finds_the_bad_rows_and_only_them(n: int, marked: set[int]) -> None:
    bad = {seq for seq in marked if seq < n}
    first = Blame("E", "why", "permanent")
    n_calls = 0

    def answer(part: pl.DataFrame) -> Fates | Blame:
        nonlocal n_calls
        n_calls += 1
        return first if bad & set(part["seq"]) else fates(part, results(*part["seq"]))

    told = corner(answer, frame(*range(n)), first, n)
    assert isinstance(told, Fates)
    assert sorted(failure.seq for failure in told.failures) == sorted(bad)
    assert sorted([] if told.results is None else told.results["seq"]) == [seq for seq in range(n) if seq not in bad]
    assert n_calls <= 2 + 2 * len(bad) * (n.bit_length() + 1)


def test_corner_gives_up_on_a_handler_that_is_broken_or_meets_another_error() -> None:
    first = Blame("E", "why", "permanent")
    told = corner(lambda _: first, frame(*range(1000)), first, 10)
    assert isinstance(told, Fates)
    assert len(told.failures) == 1000
    other = Blame("T", "why", "transient")
    assert corner(lambda _: other, frame(1, 2), first, 2) == other


def test_fates_of_parts_are_merged() -> None:
    told = merged([fates(frame(1), results(1)), Fates(None, [RowFailure(2, "E")], [], 5)])
    assert told.results is not None
    assert (told.results.height, len(told.failures), told.n_bytes) == (1, 1, 5)


@pytest.mark.parametrize(
    "returned",
    [
        (row for row in [1]),
        {1},
        lambda rows: rows,
        frame(1).lazy(),
        HandlerResult(results(1), sink=1),  # type: ignore[arg-type]
        HandlerResult(results(1), n_bytes="1"),  # type: ignore[arg-type]
        HandlerResult(results(1), failures=None),  # type: ignore[arg-type]
        frame(1).with_columns(output=pl.struct(digest=pl.lit(b"\0"))),
        frame(1).with_columns(output=pl.struct(deep=pl.concat_list(pl.struct(digest=pl.lit(b"\0"))))),
    ],
)
def test_judged_blames_what_cannot_be_results_and_raises_nothing(returned: object) -> None:
    told = judged(frame(1), returned)
    assert isinstance(told, Blame)
    assert (told.error_class, told.fault) == ("ResultMalformed", "permanent")


def test_outputs_that_json_cannot_hold_fail_their_rows_only() -> None:
    ratio = pl.Series([1.0, float("nan"), float("inf")])
    told = fates(frame(1, 2, 3), frame(1, 2, 3).with_columns(output=pl.struct(ratio=ratio)))
    assert told.results is not None
    assert told.results.rows() == [(1, '{"ratio":1.0}')]
    assert {(one.seq, one.error_class) for one in told.failures} == {(2, "ResultNotJson"), (3, "ResultNotJson")}
    said = fates(frame(1, 2), frame(1, 2).with_columns(output=pl.Series([r'"\u0000"', r'"\\u0000"'])))
    assert [(one.seq, one.error_class) for one in said.failures] == [(1, "ResultNotJson")]
