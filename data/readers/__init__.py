"""Files of a dataset to checked tables: delimiters, columns, events, items, quarantine."""
