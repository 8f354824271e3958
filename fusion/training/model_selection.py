"""The base models of a dataset, fitted in the order of their list."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from trefoil.fusion.features.training_data import TrainingData
from trefoil.fusion.models.base import BaseModel
from trefoil.fusion.models.fitting import FitInputs, Search
from trefoil.fusion.models.listed import lines
from trefoil.fusion.settings import Settings
from trefoil.fusion.training.runtime import give_back_memory


@dataclass
class Fitted:
    """Base models by name, what was chosen for them, and how long each took."""

    models: dict[str, BaseModel] = field(default_factory=dict)
    chosen: dict[str, Mapping[str, float]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


def fit_base_models(
    known: TrainingData, search: Search, settings: Settings, say: Callable[[str], None]
) -> Fitted:
    """Every base model but the networks, each with its few numbers from ``search``."""
    fitted = Fitted()
    for line in lines():
        on = line.on(settings, known, again=search.given is not None)
        if not (on and search.takes(line.name)):
            continue
        say(f"base model {line.name}")
        began = time.perf_counter()
        found = line.fit(FitInputs(known, search, settings, fitted.models))
        if found is not None:
            fitted.models[line.name], fitted.chosen[line.name] = found
            fitted.seconds[line.name] = time.perf_counter() - began
        give_back_memory()
    return fitted
