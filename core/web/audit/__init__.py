"""Pages and API of the ledger: who decided what, on what evidence, and whether the chain is whole."""
