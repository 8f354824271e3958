"""Numbers for ranked lists, single pairs and explanations."""
