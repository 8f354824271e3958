"""What is asked of a model, and of which users and items."""
