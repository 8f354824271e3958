"""Who relates to what: RDF, tables and Neo4j in, one typed graph, stores that answer Cypher."""

from trefoil.kg.construction.build import build, read_rdf
from trefoil.kg.graph import Edges, KnowledgeGraph, Nodes
from trefoil.kg.paths.explain import PathIndex, explain
from trefoil.kg.shell.questions import QUESTIONS, ask_named
from trefoil.kg.stores.base import GraphStore
from trefoil.kg.stores.open import open_store, read_neo4j
from trefoil.kg.triples.rdf import read_triples
from trefoil.kg.triples.triples import Triples

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
