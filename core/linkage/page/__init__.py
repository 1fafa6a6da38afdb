"""A finished run as one page: facts gathered, charts drawn, page written."""
