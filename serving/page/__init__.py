"""The page of the service: files that a browser loads."""
