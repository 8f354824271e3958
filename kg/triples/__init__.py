"""Facts as they come: RDF, tables and Wikidata, read into triples."""
