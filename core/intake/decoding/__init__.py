"""From the bytes of a file to UTF-8 text: unpacked, its encoding found, what was decoded wrongly before set right."""
