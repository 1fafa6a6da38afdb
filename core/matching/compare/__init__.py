"""From two records to a level for each field: similarity of strings and numbers, patterns of levels."""
