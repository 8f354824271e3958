"""The graph for eyes: tables, pictures, prepared questions and the prompt."""
