"""Gate and reranker over the base models, fitted on validation cases."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch
from jaxtyping import Float
from torch import Tensor

from trefoil.evaluation.exam import Exam
from trefoil.fusion.ensemble.candidates import candidates_of
from trefoil.fusion.ensemble.cold_start_users import cold_users_gate
from trefoil.fusion.ensemble.ensemble import Ensemble
from trefoil.fusion.ensemble.gate import Gate, standardise_row
from trefoil.fusion.ensemble.gate_fit import fit_gate, fit_gate_on
from trefoil.fusion.ensemble.reranker import Reranker, log_events_of
from trefoil.fusion.ensemble.reranker_fit import fit_reranker, fit_reranker_on, marks_of_other
from trefoil.fusion.features.training_data import TrainingData
from trefoil.fusion.features.validation import Validation
from trefoil.fusion.models.base import ScoringModel
from trefoil.fusion.settings import Settings
from trefoil.fusion.training.runtime import give_back_memory

FEW_CASES = 64  # that say, of a large catalogue, who answers people without events
SMALLEST_VALIDATION = 20  # cases; with fewer the gate keeps equal weights


@dataclass(frozen=True)
class Blend:
    """What the base models are blended by, and validation NDCG@10 of each and of blends."""

    gate: Gate
    reranker: Reranker | None = None
    alone: Mapping[str, float] = field(default_factory=dict)
    marks: Mapping[str, float] = field(default_factory=dict)


def blend(
    base_models: Mapping[str, ScoringModel],
    known: TrainingData,
    validation: Validation,
    settings: Settings,
    cross_fitted: Ensemble | None,
) -> Blend:
    """From the scores of all items; the blend of ``cross_fitted`` where it is no worse here."""
    if len(validation) < SMALLEST_VALIDATION:
        return _equal(base_models)
    give_back_memory()  # of learning
    z, alone = _scored(base_models, validation)
    gate, marks = fit_gate(tuple(base_models), z, validation)
    marks = _only(alone) | marks
    if not settings.reranker:
        return Blend(gate, None, alone, marks)
    events, returning = log_events_of(known), known.returning
    if cross_fitted is not None and cross_fitted.reranker is not None:
        reranker = replace(cross_fitted.reranker, log_events=events)
        parts = z, gate, validation, cross_fitted.gate, reranker, known.domain
        other = marks_of_other(*parts)
        if other is not None:
            return Blend(cross_fitted.gate, reranker, alone, marks | other)
    how = {"returning": returning, "seed": settings.seed, "domain": known.domain}
    reranker, more = fit_reranker(z, gate, validation, events, **how)
    return Blend(gate, reranker, alone, marks | more)


def blend_candidates(
    base_models: Mapping[str, ScoringModel], known: TrainingData, asked: Exam, settings: Settings
) -> Blend:
    """The same for a large catalogue: from the first items of each base model."""
    if len(asked) < SMALLEST_VALIDATION:
        return _equal(base_models)
    how = {"scenarios": settings.scenarios, "seed": settings.seed}
    candidates = candidates_of(base_models, asked, known.seen_items(), **how)
    give_back_memory()  # of the plan and of whole rows of scores
    names, told = tuple(base_models), candidates.told
    alone = {name: told.ndcg(one) for name, one in zip(names, candidates.z, strict=True)}
    gate, marks = fit_gate_on(candidates, names)
    marks = _only(alone) | marks
    if not settings.reranker:
        return Blend(gate, None, alone, marks)
    how = {"returning": known.returning, "seed": settings.seed}
    reranker, more = fit_reranker_on(candidates, gate, log_events_of(known), **how)
    return Blend(gate, reranker, alone, marks | more)


def fit_cold_users(
    base_models: Mapping[str, ScoringModel], gate: Gate, validation: Validation, *, few: bool
) -> tuple[Gate | None, dict[str, float]]:
    """The blend for people without events, where one of its own is better."""
    if few:
        validation = validation.take(torch.arange(len(validation))[:FEW_CASES])
    if len(validation) < SMALLEST_VALIDATION:
        return None, {}
    return cold_users_gate(base_models, gate, validation)


def _scored(
    base_models: Mapping[str, ScoringModel], validation: Validation
) -> tuple[Float[Tensor, "E n I"], dict[str, float]]:
    """z-scores of each base model, in its own scores' place, and its NDCG@10 alone."""
    z = torch.empty(len(base_models), *validation.masked.shape)
    alone: dict[str, float] = {}
    for row, (name, base_model) in zip(z, base_models.items(), strict=True):
        row.copy_(base_model.score(validation.cases))
        alone[name] = validation.ndcg(row)
        standardise_row(row, validation.seen)
    return z, alone


def _only(alone: Mapping[str, float]) -> dict[str, float]:
    return {f"only {name}": mark for name, mark in alone.items()}


def _equal(base_models: Mapping[str, ScoringModel]) -> Blend:
    """Weights for a validation that is too small to choose by."""
    weights = (1.0,) * len(base_models)
    return Blend(Gate(tuple(base_models), weights, weights, -3.0))
