"""A user's file or table, checked row by row, then read by ranges."""
