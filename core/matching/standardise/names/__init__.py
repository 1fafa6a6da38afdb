"""Words of which names are made: short forms, sounds, and what stands beside a name to tell people apart."""
