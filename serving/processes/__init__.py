"""The service on several processes: the first one writes and decides, readers answer beside it."""
