"""Populations that are harder than the plain one: families, a register, customers, and names of many countries."""

PLAIN = "plain"
PROFILES = (PLAIN, "families", "registry", "crm", "international")
# What `headrace generate persons` makes when no profile is named.
DEFAULT_PROFILE = PLAIN
