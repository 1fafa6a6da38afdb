"""The schema for editors: small, and of the same mind as the strict reader."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from core.pipelines.language.reading import spec_of
from core.pipelines.language.schema import json_schema
from core.pipelines.language.yaml_text import read_yaml
from core.pipelines.refusals import PipelineRefused

SPEC: dict[str, Any] = read_yaml((Path(__file__).parents[3] / "fixtures" / "ten-mistakes.yaml").read_bytes())


def test_it_is_small() -> None:
    assert len(json.dumps(json_schema(), separators=(",", ":"))) < 12_000


def test_words_that_stand_pass_both() -> None:
    jsonschema.Draft202012Validator(json_schema()).validate(SPEC)
    spec_of(SPEC)


@pytest.mark.parametrize(
    "given",
    [
        {**SPEC, "steps": [{"do": "filter", "wher": "true"}]},
        {**SPEC, "steps": ["filter"]},
        {**SPEC, "steps": [{"do": "filter", "where": "true", "as": "Not A Name"}]},
        {**SPEC, "sources": {"orders": {"kind": "csv", "at": "landing"}}},
        {**SPEC, "sources": {}},
        {**SPEC, "sink": {"table": "a.b"}},
        {**SPEC, "run": {"attempts": 0}},
    ],
)
def test_words_that_cannot_stand_pass_neither(given: dict[str, Any]) -> None:
    assert not jsonschema.Draft202012Validator(json_schema()).is_valid(given)
    with pytest.raises(PipelineRefused):
        spec_of(given)
