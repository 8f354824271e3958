"""Why an item is in a list, why it is not, and what would change it."""
