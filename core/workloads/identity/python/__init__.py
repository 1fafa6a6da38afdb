"""Identity resolution as a call in Python: frames or files in, frames out."""
