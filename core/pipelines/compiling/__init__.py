"""From a checked spec to polars. Rows never raise: what cannot be computed marks its row, and the row leaves."""
