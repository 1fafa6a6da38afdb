"""Scope 3 emissions: units that cannot be mixed, formulas of the GHG Protocol, and their worked examples as vectors."""
