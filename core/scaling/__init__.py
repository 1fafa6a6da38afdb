"""How many consumers there should be: the rule, what it looks at, what carries it out, and what it would have cost."""
