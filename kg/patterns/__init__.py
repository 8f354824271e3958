"""Small patterns of a graph, such as ``(i)-[:DIRECTOR]->(:Person {name: 'Ozu'})``."""
