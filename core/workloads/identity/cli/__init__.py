"""The commands of identity resolution, one module each with `register(group)`."""
