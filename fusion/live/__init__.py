"""Changes to what is known: events, items and facts as they come, kept by a log."""
