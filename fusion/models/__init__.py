"""Base models in closed form or by counting."""
