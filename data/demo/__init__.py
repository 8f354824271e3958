"""The embedded demo: a catalogue of real films as RDF, and a simulated audience."""

from data.demo.audience import simulate
from data.demo.catalogue import Catalogue, Film, read_catalogue, turtle_files

__all__ = ["Catalogue", "Film", "read_catalogue", "simulate", "turtle_files"]
