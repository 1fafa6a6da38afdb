"""Commands of emissions."""
