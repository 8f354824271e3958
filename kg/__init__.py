"""Who relates to what: RDF, tables and Neo4j in, one typed graph, stores that answer Cypher."""

from kg.build import build, read_rdf
from kg.graph import Edges, KnowledgeGraph, Nodes
from kg.questions import QUESTIONS, ask_named
from kg.store import GraphStore, open_store, read_neo4j

__all__ = [
    "QUESTIONS",
    "Edges",
    "GraphStore",
    "KnowledgeGraph",
    "Nodes",
    "ask_named",
    "build",
    "open_store",
    "read_neo4j",
    "read_rdf",
]
