"""Columns of ledgers and bank lines in tables: which serves which field, and amounts and days in them."""
