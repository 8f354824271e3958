"""Neo4j servers: how one is reached, and what its values become."""
