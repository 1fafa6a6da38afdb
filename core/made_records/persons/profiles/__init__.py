"""Populations that are harder than the plain one: families, a register, customers, and names of many countries."""

PLAIN = "plain"
PROFILES = (PLAIN, "families", "registry", "crm", "international")
# What `headrace generate persons`, the demo, `demo:persons` and `headrace.made_persons` make when no profile is named.
DEFAULT_PROFILE = "families"
