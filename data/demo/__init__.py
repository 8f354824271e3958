"""The embedded demo: a catalogue of real films as RDF, and a simulated audience."""

from trefoil.data.demo.audience import simulate
from trefoil.data.demo.catalogue import Catalogue, Film, read_catalogue, turtle_files

__all__ = ["Catalogue", "Film", "read_catalogue", "simulate", "turtle_files"]
