"""How the server and a pooler before it are set for a machine and a load."""
