"""Schemas of parameters, as they become forms."""

from __future__ import annotations

import pytest
from prefect.utilities.schema_tools.validation import is_valid_schema, validate

from flows.autoscale import autoscale
from flows.consume import consume
from flows.identity_resolution import identity_resolution
from flows.invoice_matching import invoice_matching
from flows.maintenance import maintenance
from flows.server.forms import form
from flows.statistics_refresh import statistics_refresh

FLOWS = (autoscale, consume, identity_resolution, invoice_matching, maintenance, statistics_refresh)


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_form_describes_and_orders_every_field(flow: object) -> None:
    schema = form(flow.parameters.model_dump(mode="json"))  # type: ignore[attr-defined]
    is_valid_schema(schema)
    for model in (schema, *schema["definitions"].values()):
        fields = model.get("properties", {})
        assert [one["position"] for one in fields.values()] == list(range(len(fields)))
        for name, field in fields.items():
            assert field.get("description") or "$ref" in field, name
            assert "anyOf" not in field, name


def test_form_asks_first_for_what_must_be_given_and_takes_null_for_what_may_be_left_out() -> None:
    schema = form(identity_resolution.parameters.model_dump(mode="json"))
    fields = schema["definitions"]["MatchRequest"]["properties"]
    assert list(fields)[:2] == ["input", "id_column"]
    assert (fields["id_column"]["title"], fields["memory_gb"]["title"]) == ("Id column", "Memory (GB)")
    assert fields["memory_gb"]["type"] == "number"
    assert fields["spec"]["default"] == "persons"
    request = {"input": "a.csv", "id_column": "id", "out": None, "memory_gb": None}
    assert validate({"request": request, "postgres_block": None}, schema) == []
    assert validate({"request": request | {"memory_gb": "much"}}, schema)
    assert validate({"request": {"input": "a.csv"}}, schema)
