"""The store of a server: Neo4j."""
