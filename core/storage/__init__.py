"""Where jobs keep their files: workspaces, scratch folders, object stores, private files."""
