"""Pure rules of emissions: no file, no database, no clock."""
