"""The list of base models: a line for each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

from trefoil.data.interactions import Ints
from trefoil.fusion.features.training_data import MOST_ITEMS, TrainingData
from trefoil.fusion.models.als import Factors, fit_factors
from trefoil.fusion.models.base import (
    BaseModel,
    HoldsUsers,
    ModelState,
    Redescribable,
    ScoringModel,
)
from trefoil.fusion.models.cooccurrence import fit_cooccurrence
from trefoil.fusion.models.demographics import Demographics, fit_demographics
from trefoil.fusion.models.fields import FieldNeighbours, fit_fields
from trefoil.fusion.models.fitting import Fit
from trefoil.fusion.models.gaussian_process import RatingProcess, fit_process
from trefoil.fusion.models.linear import Linear
from trefoil.fusion.models.linear_fit import fit_linear, fit_linear_recent
from trefoil.fusion.models.nearest_texts import NearestTexts, fit_nearest_texts
from trefoil.fusion.models.neighbours import Similar, fit_next_items, fit_walks
from trefoil.fusion.models.popularity import Popularity, fit_popularity, fit_recent_popularity
from trefoil.fusion.models.profiles import (
    GraphProfile,
    TextProfile,
    fit_graph_profile,
    fit_text_profile,
)
from trefoil.fusion.models.returning import Returning, fit_returning
from trefoil.fusion.settings import Settings


def always(_: TrainingData) -> bool:
    return True


def timed(known: TrainingData) -> bool:
    return known.timed


def returning(known: TrainingData) -> bool:
    return known.returning


def has_facts(known: TrainingData) -> bool:
    return known.facts is not None


def has_texts(known: TrainingData) -> bool:
    return known.text is not None


def has_fields(known: TrainingData) -> bool:
    return bool(known.fields)


def sparse_in_order(known: TrainingData) -> bool:
    """Whether people have few events, their order is known, and items are not too many."""
    return known.timed and not known.dense and known.matrix.shape[1] <= MOST_ITEMS


def has_attributes(known: TrainingData) -> bool:
    return known.attributes is not None


def has_stars(known: TrainingData) -> bool:
    return known.events.stars is not None


@dataclass(frozen=True)
class Line:
    """A base model by the name that settings, runs and reports know it by.

    ``switch`` names the setting that turns it off; without one it is always on.
    ``when`` says whether there are data for it, and ``rule`` whether they are such that it
    pays, for a setting that is "auto". ``variant_of`` names a line above of the
    same class: the model has the tensors of that one, which a run stores once, under
    other plain values, which are fields of the class.
    """

    name: str
    from_state: Callable[[ModelState, TrainingData], BaseModel]
    fit: Fit
    switch: str = ""
    when: Callable[[TrainingData], bool] = always
    variant_of: str = ""
    rule: Callable[[TrainingData], bool] = always

    def on(self, settings: Settings, known: TrainingData, *, again: bool = False) -> bool:
        """Whether settings and data allow it; ``again`` says that an earlier fit asked the rule."""
        asked = not self.switch or reduce(getattr, self.switch.split("."), settings)
        ruled = asked != "auto" or again or self.rule(known)
        return bool(asked) and self.when(known) and ruled

    def variant(self, others: Mapping[str, BaseModel], values: Mapping[str, Any]) -> BaseModel:
        """The model with the tensors of another."""
        other: Any = others[self.variant_of]
        return replace(other, **values)


# In order of fitting; a blend that ties keeps this order too.
BASE_MODELS: tuple[Line, ...] = (
    Line("linear", Linear.from_state, fit_linear, "linear.on"),
    Line("linear-recent", Linear.from_state, fit_linear_recent, "linear.on", timed, "linear"),
    Line("factors", Factors.from_state, fit_factors, "factors"),
    Line("random-walks", Similar.from_state, fit_walks, "random_walks"),
    Line("next-items", Similar.from_state, fit_next_items, "next_item", timed),
    Line(
        "co-occurrence",
        Similar.from_state,
        fit_cooccurrence,
        "cooccurrence",
        timed,
        rule=sparse_in_order,
    ),
    Line("returning", Returning.from_state, fit_returning, "returning", returning),
    Line("graph-neighbours", GraphProfile.from_state, fit_graph_profile, "graph.on", has_facts),
    Line("text-neighbours", TextProfile.from_state, fit_text_profile, "text.on", has_texts),
    Line(
        "nearest-texts",
        NearestTexts.from_state,
        fit_nearest_texts,
        "nearest_texts",
        has_texts,
        rule=sparse_in_order,
    ),
    Line(
        "field-neighbours",
        FieldNeighbours.from_state,
        fit_fields,
        "item_fields",
        has_fields,
        rule=sparse_in_order,
    ),
    Line(
        "demographics", Demographics.from_state, fit_demographics, "user_attributes", has_attributes
    ),
    Line("popularity", Popularity.from_state, fit_popularity),
    Line(
        "recent-popularity",
        Popularity.from_state,
        fit_recent_popularity,
        "recent_popularity",
        timed,
    ),
    Line("rating-process", RatingProcess.from_state, fit_process, "rating_process", has_stars),
)


def lines() -> tuple[Line, ...]:
    """All lines, in order."""
    return BASE_MODELS


def line_of(name: str) -> Line:
    """The line of a base model."""
    return next(line for line in lines() if line.name == name)


def listed_of(models: Mapping[str, ScoringModel]) -> list[tuple[Line, BaseModel]]:
    """These models with their lines, in the order given.

    Raises TypeError for one that is not listed, or that lacks what ``BaseModel`` asks.
    """
    by_name = {line.name: line for line in lines()}
    found = []
    for name, model in models.items():
        if name not in by_name or not isinstance(model, BaseModel):
            kind = type(model).__name__
            raise TypeError(f"{name!r}, a {kind}, is no base model of fusion/models/listed.py")
        found.append((by_name[name], model))
    return found


def models_with_items(
    models: Mapping[str, ScoringModel], known: TrainingData, before: int
) -> dict[str, BaseModel]:
    """The same for more items, see ``BaseModel.with_items``."""
    return _each(models, lambda _, model: model.with_items(known, before))


def models_with_content(
    models: Mapping[str, ScoringModel], known: TrainingData, changed: Ints
) -> dict[str, BaseModel]:
    """The same where items are described anew, see ``Redescribable``."""

    def described(_: Line, model: BaseModel) -> BaseModel:
        return model.with_content(known, changed) if isinstance(model, Redescribable) else model

    return _each(models, described)


def models_without_user(
    models: Mapping[str, ScoringModel], known: TrainingData, row: int
) -> dict[str, BaseModel]:
    """The same for training data without the user of a row; counts are made again."""

    def without(line: Line, model: BaseModel) -> BaseModel:
        told = model.without_user(row) if isinstance(model, HoldsUsers) else model
        return line.from_state(told.state(), known)

    return _each(models, without)


def _each(
    models: Mapping[str, ScoringModel], change: Callable[[Line, BaseModel], BaseModel]
) -> dict[str, BaseModel]:
    """Each model changed; variants are made anew from the models that they are variants of."""
    found: dict[str, BaseModel] = {}
    for line, model in listed_of(models):
        if line.variant_of:
            found[line.name] = line.variant(found, model.state().values)
        else:
            found[line.name] = change(line, model)
    return found
