"""Workers that end before their time: when one must be killed, and what those that are gone leave behind."""
