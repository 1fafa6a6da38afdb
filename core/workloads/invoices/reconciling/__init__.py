"""A reconciliation from files to an answer: columns and texts read, rules applied, tables written."""
