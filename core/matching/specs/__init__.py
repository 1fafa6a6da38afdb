"""What is compared and how, as a person writes it: fields, comparison levels, blocking keys; the built-in specs."""
