"""Talking to a person at a terminal: exit codes, Ctrl-C, tables, progress, becoming a flow."""
