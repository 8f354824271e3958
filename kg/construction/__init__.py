"""From triples to the typed graph that models read, items linked to entities."""
