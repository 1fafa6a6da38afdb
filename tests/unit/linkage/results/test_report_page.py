from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree

import polars as pl
import pytest

from core.charts import bar, columns, score_histogram, weight_bar
from core.linkage.results.report_facts import score_bins


def widths(svg: str, kind: str) -> list[float]:
    return [float(each.get("width", "nan")) for each in ElementTree.fromstring(svg) if each.get("class") == kind]


def test_bar_is_as_long_as_its_share() -> None:
    assert widths(bar(50, 100), "main") == [80.0]
    assert widths(bar(0, 100), "main") == [0.0]
    assert widths(bar(3, 0), "main") == [1.0]


def test_weight_bar_points_right_for_and_left_against() -> None:
    (right,) = [each for each in ElementTree.fromstring(weight_bar(5, 10)) if each.get("class") == "main"]
    (left,) = [each for each in ElementTree.fromstring(weight_bar(-10, 10)) if each.get("class") == "against"]
    assert (right.get("x"), right.get("width")) == ("80.0", "40.0")
    assert (left.get("x"), left.get("width")) == ("0.0", "80.0")


def test_score_bins_have_no_gaps_and_split_by_decision() -> None:
    pairs = pl.LazyFrame({"score": [-5.5, 3.2, 3.9, 9.0], "decision": ["review", "match", "match", "match"]})
    assert score_bins(pairs, 3.0) == [
        (-7.0, 1, 0), (-5.0, 0, 0), (-3.0, 0, 0), (-1.0, 0, 0), (1.0, 0, 0), (3.0, 0, 2), (5.0, 0, 0), (7.0, 0, 0),
        (9.0, 0, 1),
    ]  # fmt: skip
    assert score_bins(pairs.head(0), 3.0) == []


@pytest.mark.parametrize("bins", [[(4.0, 0, 1)], [(-6.0, 3, 0), (-4.0, 0, 5_000_000)]])
def test_histogram_is_drawn_for_one_bin_and_for_many(bins: list[tuple[float, int, int]]) -> None:
    svg = score_histogram(bins, 2.0, {"match": 3.0, "review": -6.0})
    tree = ElementTree.fromstring(svg)
    assert len(widths(svg, "main")) == sum(1 for _, _, match in bins if match)
    assert [each.get("class") for each in tree].count("threshold") == 2
    assert all(0 <= float(x) <= 720 for x in re.findall(r' x1?="([-\d.]+)"', svg))


def test_columns_escape_their_labels() -> None:
    assert "&lt;b&gt;" in columns({"<b>": 3})


@pytest.mark.parametrize("most", [1, 2, 7, 41, 990, 3_600, 4_100, 16_500_000])
def test_labels_of_counts_do_not_touch(most: int) -> None:
    texts = [each for each in ElementTree.fromstring(columns({"a": most})) if each.get("text-anchor") == "end"]
    heights = [float(each.get("y", "nan")) for each in texts if (each.text or "").replace(",", "").isdigit()]
    assert heights
    assert all(below - above >= 14 for below, above in pairwise(heights))


def test_names_of_thresholds_keep_clear_of_the_axis() -> None:
    svg = score_histogram([(-8.0, 3, 0), (88.0, 0, 50)], 2.0, {"match": 3.0, "review": -6.0})
    (name,) = [each for each in ElementTree.fromstring(svg) if each.text == "review"]
    assert name.get("text-anchor") == "start"
