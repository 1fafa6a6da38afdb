"""The ledger: events that are only ever added, in one chain a tenant, and what checks them."""
