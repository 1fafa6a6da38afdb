"""How work gets in: screened, given keys, held back when too much waits; jobs and their stages."""
