"""Reference models under one interface: ``fit(train, users, items)``, then ``score(cases)``."""

from trefoil.evaluation.baselines.als import ImplicitALS
from trefoil.evaluation.baselines.biases import Biases
from trefoil.evaluation.baselines.content import ContextHistory, GraphNeighbours, TextNeighbours
from trefoil.evaluation.baselines.factors import BPR, LightGCN
from trefoil.evaluation.baselines.linear import Linear
from trefoil.evaluation.baselines.neighbours import ItemNeighbours, UserNeighbours
from trefoil.evaluation.baselines.popularity import Popularity, RecentPopularity
from trefoil.evaluation.baselines.sasrec import SASRec
from trefoil.evaluation.baselines.sequence import DecayedLinear, Markov
from trefoil.evaluation.baselines.tuning import BUDGET, Candidate, Tuned, settings_of, tune

__all__ = [
    "BPR",
    "BUDGET",
    "Biases",
    "Candidate",
    "ContextHistory",
    "DecayedLinear",
    "GraphNeighbours",
    "ImplicitALS",
    "ItemNeighbours",
    "LightGCN",
    "Linear",
    "Markov",
    "Popularity",
    "RecentPopularity",
    "SASRec",
    "TextNeighbours",
    "Tuned",
    "UserNeighbours",
    "settings_of",
    "tune",
]
