"""The table of what counts where, as the docs print it: `python -m core.workloads.emissions.rules.reference`."""

from __future__ import annotations

import sys

from core.workloads.emissions.rules.categories import REFUSED_STAGES, places

PAGE = "docs/reference/emission-categories.md"
_HEAD = """# Categories, methods and stages of emissions

Made from the code: `python -m core.workloads.emissions.rules.reference > docs/reference/emission-categories.md`. The
longest beginning of a code that the table has decides; each row has a test. A crosswalk may give a buyer's code another
category. Capital goods (`capex` Y) of category 1 are category 2. Categories 9 to 15 have no codes of their own here: a
line gets there by a crosswalk only, and their methods are in the worked examples (`headrace emissions conformance`).

| scheme | code begins with | category | method | stage |
|---|---|---|---|---|
"""


def render_reference() -> str:
    """The page, Markdown."""
    rows = [
        f"| {scheme} | {prefix or 'anything else'} | {place.category or '-'} | {place.method} | {place.stage} |"
        for scheme, prefix, place in places()
    ]
    refused = [f"- **{stage}** {why}." for stage, why in REFUSED_STAGES.items()]
    said = ["", "What has no category never counts in scope 3:", "", *refused, ""]
    return _HEAD + "\n".join([*rows, *said])


if __name__ == "__main__":
    sys.stdout.write(render_reference())
