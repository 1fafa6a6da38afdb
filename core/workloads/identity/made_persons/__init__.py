"""Made persons as files: written whole or not at all, or by name for a flow."""
