"""How a spec is written: strict YAML, closed words, and JSON Schema for editors."""
