"""Both sides, from tables to arrays: texts, payers, lines, habits."""
