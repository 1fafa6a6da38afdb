"""SQL scalar expressions: their closed syntax, the parser, functions, types and canonical text."""
