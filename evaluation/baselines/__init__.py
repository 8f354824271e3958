"""Reference models under one interface: ``fit(train, users, items)``, then ``score(cases)``."""

from evaluation.baselines.linear import Linear
from evaluation.baselines.neighbours import ItemNeighbours, UserNeighbours
from evaluation.baselines.popularity import Popularity, RecentPopularity
from evaluation.baselines.tuning import BUDGET, Candidate, Tuned, settings_of, tune

__all__ = [
    "BUDGET",
    "Candidate",
    "ItemNeighbours",
    "Linear",
    "Popularity",
    "RecentPopularity",
    "Tuned",
    "UserNeighbours",
    "settings_of",
    "tune",
]
