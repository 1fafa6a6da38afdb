"""The list of slow files is true of the tree, and a run tells of files that should stand in it."""

from __future__ import annotations

import re

import pytest

from tests.architecture.tree import ROOT, files, modules
from tests.scheduling import ON_PREFECT, on_prefect
from tests.slowest import LIMIT_S, SHOWN, lines, listed, slow_files


def test_listed_files_exist_and_have_a_reason() -> None:
    found = slow_files()
    assert [one.path for one in found if one.path not in {str(path) for path in files()}] == []
    assert [one.path for one in found if one.seconds <= LIMIT_S] == [], f"no reason is needed below {LIMIT_S:g} s"
    assert [one.path for one in found if len(one.reason.split()) < 5] == [], "say why, in a sentence"


def test_list_has_each_file_once_and_the_longest_first() -> None:
    found = slow_files()
    assert len({one.path for one in found}) == len(found)
    assert [one.seconds for one in found] == sorted((one.seconds for one in found), reverse=True)


def test_files_that_need_the_prefect_server_go_to_one_process() -> None:
    asked = re.compile(r"\bprefect_(?:env|server)\b: ")
    users = [str(path) for path in modules("tests") if asked.search((ROOT / path).read_text(encoding="utf-8"))]
    assert {path for path in users if path.rpartition("/")[2].startswith("test_") and not on_prefect(path)} == set()
    assert [start for start in ON_PREFECT if not any(path.startswith(start) for path in users)] == []


def test_an_entry_says_all_three() -> None:
    with pytest.raises(TypeError, match="reason"):
        listed('[[file]]\npath = "tests/a.py"\nseconds = 30\n')


def test_a_run_tells_its_slowest_and_names_what_is_not_listed() -> None:
    phases = [("tests/a.py::test_one", 9.0), ("tests/a.py::test_one", 2.5), ("tests/a.py::test_two[x::y]", 10.0)]
    phases += [("tests/b.py::test_three", 30.0), *((f"tests/c.py::test_{n}", n / 1_000) for n in range(100))]
    told = list(lines(phases, ["tests/b.py"]))
    at = [told.index(f"slowest {what} (setup, call and teardown):") for what in ("tests", "files")]
    assert told[at[0] + 1 : at[0] + 4] == [
        "   30.00 s  tests/b.py::test_three",
        "   11.50 s  tests/a.py::test_one",
        "   10.00 s  tests/a.py::test_two[x::y]",
    ]
    assert at[1] - at[0] == SHOWN + 1
    assert told[at[1] + 1 :] == [
        "   30.00 s  tests/b.py",
        "   21.50 s  tests/a.py",
        "    4.95 s  tests/c.py",
        "tests/a.py took 22 s: make it faster, or give slow_files.toml a reason",
    ]
