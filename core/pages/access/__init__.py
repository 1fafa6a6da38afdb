"""Who gets in: by which host, through which proxy, from which page, signed in as whom."""
