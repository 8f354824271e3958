"""Everything that decides what a model becomes, as one checked tree."""

from trefoil.fusion.settings.branches import (
    Behaviour,
    FineTuning,
    Graph,
    HeldOut,
    Linear,
    Network,
    Profiles,
    Tasks,
    Text,
)
from trefoil.fusion.settings.loading import load_settings
from trefoil.fusion.settings.part import Part
from trefoil.fusion.settings.tree import Settings

__all__ = [
    "Behaviour",
    "FineTuning",
    "Graph",
    "HeldOut",
    "Linear",
    "Network",
    "Part",
    "Profiles",
    "Settings",
    "Tasks",
    "Text",
    "load_settings",
]
