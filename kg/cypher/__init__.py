"""What a Cypher statement may say: tokens, names, functions, and the guard."""
