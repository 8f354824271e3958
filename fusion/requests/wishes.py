"""What a call wishes for beyond a history: scores moved by words, dislikes and boosts."""

import numpy as np

from trefoil.data.histories import Cases, Histories, Later
from trefoil.data.interactions import Floats, Ints
from trefoil.evaluation.exam import Scorer
from trefoil.fusion.plan.first import FIRST
from trefoil.fusion.requests import arguments
from trefoil.fusion.requests.listing import Adjusted, FirstOf
from trefoil.fusion.requests.question import Question
from trefoil.fusion.requests.request import Request
from trefoil.fusion.requests.state import State

OPEN = 0.5  # share of the items that must be open to a list that is taken from candidates
TEXT_WEIGHT = 1.0  # of a text query beside the z-scores of the gate
DISLIKE_WEIGHT = 0.3  # of what is like a disliked item, in standard deviations of the scores


def _first_alone(request: Request, question: Question) -> bool:
    """Whether a call wants no more than first items, of one person and of most of the items."""
    rules = question.rules
    if len(question.user) != 1 or rules.choose or len(rules.pinned):
        return False
    masks = [one for one in (question.only, question.where) if one is not None]
    kept = [np.count_nonzero(one) - len(question.without) >= OPEN * len(one) for one in masks]
    return all(kept) and request.k + request.offset <= FIRST


def scorer_of(state: State, request: Request, question: Question) -> Scorer:
    """The model's scores, with what the call wishes added."""
    wish, lift, wished = arguments.words("text", request.text), question.rules.lift, None
    if wish:
        from trefoil.fusion.features.texts import text_scores

        told = text_scores(state.model.texts, wish, len(state.catalogue.items))
        wished = TEXT_WEIGHT * told.numpy()
    if len(question.disliked):
        sunk = -DISLIKE_WEIGHT * resembling(state, question.disliked)
        lift = sunk if lift is None else lift + sunk
    if wished is None and lift is None:
        return FirstOf(state.scorer) if _first_alone(request, question) else state.scorer
    return Adjusted(state.scorer, wished, lift)


def resembling(state: State, items: Ints) -> Floats:
    """How much more each item suits who met these items than anybody, from 0 on [items].

    The difference of the z-scores for a person with this history and for one without any.
    """
    catalogue = state.catalogue
    codes = catalogue.scenario_codes(None, 2)
    nobody = catalogue.cases(np.array([-1, -1]), codes).history
    own = nobody.take(np.array([0])).followed_by(Later.of(items))
    both = Histories(
        np.array([0, len(items), len(items)]), own.item, own.at, own.stars, own.scenario
    )
    scores = state.scorer.score(Cases(np.array([-1, -1]), both, None, codes))
    z = (scores - scores.mean(1, keepdims=True)) / np.maximum(scores.std(1, keepdims=True), 1e-6)
    return np.maximum(z[0] - z[1], 0).astype(np.float32)
