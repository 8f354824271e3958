"""Who relates to what: RDF, tables and Neo4j in, one typed graph, stores that answer Cypher."""

from kg.build import build, read_rdf
from kg.graph import Edges, KnowledgeGraph, Nodes
from kg.paths import PathIndex, explain
from kg.questions import QUESTIONS, ask_named
from kg.rdf import read_triples
from kg.store import GraphStore, open_store, read_neo4j
from kg.triples import Triples

__all__ = [
    "QUESTIONS",
    "Edges",
    "GraphStore",
    "KnowledgeGraph",
    "Nodes",
    "PathIndex",
    "Triples",
    "ask_named",
    "build",
    "explain",
    "open_store",
    "read_neo4j",
    "read_rdf",
    "read_triples",
]
