"""Long work in a process of its own, with its status in SQLite."""
