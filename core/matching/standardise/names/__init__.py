"""What names are made of: forms, spellings, sounds, scripts, and what stands beside a name to tell people apart."""
