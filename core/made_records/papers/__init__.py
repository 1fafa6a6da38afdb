"""Bibliographies that describe partly the same papers."""
