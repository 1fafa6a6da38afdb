"""Rows and columns on their way in: what is wrong with a row, what the values of a column say together."""
