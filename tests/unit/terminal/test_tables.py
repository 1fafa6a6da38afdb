"""Tables of commands: never wider than the screen, whatever stands in them, and nothing lost that `--json` has."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.terminal.spans import span_words
from core.terminal.tables import JOINED, cut, fact_lines, screen_width, table_lines, words

CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=120),
    st.lists(st.text(), max_size=3),
)


@st.composite
def tables(draw: st.DrawFn) -> list[dict[str, object]]:
    names = draw(st.lists(st.text("abcdef_", min_size=1, max_size=30), min_size=1, max_size=14, unique=True))
    return [{name: draw(CELLS) for name in names} for _ in range(draw(st.integers(1, 3)))]


def columns(line: str) -> int:
    import rich.cells

    return rich.cells.cell_len(line)


@settings(max_examples=40)
@given(tables(), st.integers(40, 130))
def test_table_lines_fit_whatever_stands_in_them(rows: list[dict[str, object]], width: int) -> None:
    lines = table_lines(rows, width)
    assert lines
    assert all(len(line) <= width for line in lines if line.isascii())
    assert all(line.replace(JOINED, " ").isprintable() for line in lines)


def test_table_lines_leave_alone_what_fits() -> None:
    rows = [{"job": 3000, "input": "people.csv", "rows": 70_000_000}, {"job": 2, "input": "b.csv", "rows": None}]
    assert table_lines(rows, 80) == [
        " job  input             rows",
        "3000  people.csv  70,000,000",
        "   2  b.csv",
    ]


def test_table_lines_wrap_sentences_and_cut_names_in_the_middle() -> None:
    rows = [{"name": "k" * 40 + "END", "why": "the oldest waits longer than it should, so one more comes", "n": 1}]
    head, *body = table_lines(rows, 50)
    assert head.split() == ["name", "why", "n"]
    assert all(len(line) <= 50 for line in body)
    assert body[0].startswith("kkk")
    assert "…" in body[0].split()[0]
    assert body[0].split()[0].endswith("END")
    assert " ".join(" ".join(line[line.index("   ") :] if line[0] == " " else line for line in body).split()).count(
        "wa"
    )


def test_table_lines_of_too_many_columns_are_a_block_a_row() -> None:
    rows = [{f"column_{n}": f"value {n}" * 4 for n in range(12)} for _ in range(2)]
    lines = table_lines(rows, 80)
    assert len(lines) == 2 * 12 + 1
    assert lines[0] == "column_0   value 0value 0value 0value 0"
    assert lines[12] == ""


def test_wide_letters_take_two_columns() -> None:
    assert cut("山田太郎山田太郎", 9) == "山田…太郎"
    (_, line) = table_lines([{"name": "山田" * 60}], 40)
    assert columns(line) <= 40


def test_fact_lines_cut_nothing() -> None:
    url = "postgresql://" + "a" * 120
    lines = fact_lines({"url": url, "running": True}, 80)
    assert "".join(line[9:] for line in lines[:-1]) == url
    assert lines[-1] == "running  yes"


@pytest.mark.parametrize(
    ("given", "said"), [("a\x1b[31mb\nc", "a [31mb c"), ([1, "b"], "1, b"), (None, ""), (1e6, "1,000,000.0")]
)
def test_words_hold_no_control_characters(given: object, said: str) -> None:
    assert words(given) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-1, "0.0 s"), (0.84, "0.8 s"), (59.6, "1 min"), (200, "3 min 20 s"), (7500, "2 h 5 min"), (86_400 * 3, "3 d")],
)
def test_span_words_are_coarser_the_longer(seconds: float, said: str) -> None:
    assert span_words(seconds).replace(JOINED, " ") == said


def test_screen_width_is_that_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "132")
    assert screen_width() == 132
    monkeypatch.setenv("COLUMNS", "3")
    assert screen_width() == 40
