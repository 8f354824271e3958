"""The graph for other libraries: RDF, PyG, networkx."""
