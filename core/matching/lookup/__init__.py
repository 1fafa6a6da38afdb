"""One record against many: an index by key, and the entity that the record joins."""
