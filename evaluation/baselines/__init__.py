"""Reference models under one interface: ``fit(train, users, items)``, then ``score(cases)``."""

from evaluation.baselines.als import ImplicitALS
from evaluation.baselines.biases import Biases
from evaluation.baselines.content import ContextHistory, GraphNeighbours, TextNeighbours
from evaluation.baselines.factors import BPR, LightGCN
from evaluation.baselines.linear import Linear
from evaluation.baselines.neighbours import ItemNeighbours, UserNeighbours
from evaluation.baselines.popularity import Popularity, RecentPopularity
from evaluation.baselines.sasrec import SASRec
from evaluation.baselines.sequence import DecayedLinear, Markov
from evaluation.baselines.tuning import BUDGET, Candidate, Tuned, settings_of, tune

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
