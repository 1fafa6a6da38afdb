"""What outlives a run: the run that records are added to, models, decisions by people, lasting ids."""
