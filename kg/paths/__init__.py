"""Why: paths from what a user did to an item."""
