"""One module a format: each turns a file into `Content`, and says of what it cannot read where it stands and why."""
