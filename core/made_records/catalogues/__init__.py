"""Catalogues of two shops that describe partly the same products."""
