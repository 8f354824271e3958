"""An ensemble compiled: its base models, gate and reranker as a scoring plan."""

import numpy as np

from trefoil.fusion.ensemble.ensemble import Ensemble
from trefoil.fusion.ensemble.model_form import form_of
from trefoil.fusion.ensemble.rating_blend import RatingBlend, raters
from trefoil.fusion.ensemble.reranker import FIRST, FRONT, WIDEST, Reranker
from trefoil.fusion.models.base import Compilable
from trefoil.fusion.network.forms import array
from trefoil.fusion.network.scorers import NetworkScorer
from trefoil.fusion.plan.asked import Reals
from trefoil.fusion.plan.of_users import RatedKernel
from trefoil.fusion.plan.parts import AddedItems, Parts
from trefoil.fusion.plan.plan import Plan
from trefoil.fusion.plan.ratings import Ratings
from trefoil.fusion.plan.reranking import Marks, Reranking


def plan_of(model: Ensemble) -> Plan:
    """The plan that scores as the ensemble does."""
    return Plan(parts_of(model))


def uncompiled(model: Ensemble) -> list[str]:
    """The base models without a form: a run with one of them is served with torch."""
    return [name for name, one in model.base_models.items() if not isinstance(one, Compilable)]


def parts_of(model: Ensemble) -> Parts:
    """What the plan is made of."""
    gate, added, cold_users = model.gate, model.added, model.cold_users
    of_cold_users = () if cold_users is None else cold_users.base_models
    others = [name for name in of_cold_users if name not in gate.base_models]
    return Parts(
        gate.base_models,
        tuple(form_of(model.base_models[name]) for name in gate.base_models),
        gate.warm,
        gate.cold,
        gate.offset,
        model.seen.numpy(),
        model.known.learned,
        model.settings.scenarios,
        () if cold_users is None else tuple(zip(of_cold_users, cold_users.warm, strict=True)),
        tuple((name, form_of(model.base_models[name])) for name in others),
        added and AddedItems(added.weights, added.like_cold),
        model.reranker and _reranking(model.reranker),
        model.rates and _ratings(model, model.rates),
        domain=model.known.domain,
        within=gate.within,
    )


def _reranking(reranker: Reranker) -> Reranking:
    network = reranker.network
    marks = Marks(
        array(network.mean),
        array(network.spread),
        array(network.scale).ravel(),
        tuple(array(one) for one in network.weight),
        tuple(array(one) for one in network.bias),
        WIDEST,
    )
    events = array(reranker.log_events)
    return Reranking(marks, events, reranker.returning, FIRST, FRONT)


def _ratings(model: Ensemble, rates: RatingBlend) -> Ratings | None:
    network, process = raters(model.base_models)
    if network is None:
        return None
    users, items, base, by_user, by_item = _network_ratings(network)
    process = rates.process and process
    return Ratings(
        users,
        items,
        base,
        by_user,
        by_item,
        rates.low,
        rates.high,
        rates.mean,
        rates.both,
        rates.alone,
        process and RatedKernel(process.pull, array(process.kernel), process.kept, process.items),
        0.0 if process is None else process.mean,
        1.0 if process is None else process.unit,
        None if process is None else array(process.offset),
    )


def _network_ratings(network: NetworkScorer) -> tuple[Reals, Reals, float, Reals, Reals]:
    """Vectors of users and items, and biases: the mean over networks."""
    count = len(network.networks)
    heads = [head for one in network.networks if (head := one.rating_head) is not None]
    vectors = network.rated_vectors()
    pairs = list(zip(heads, vectors, strict=True))
    users = [array(v.users) @ array(h.map) * np.float32(10 / count) for h, v in pairs]
    items = [array(one.items) for one in vectors]
    base = float(np.mean([float(head.mean.detach()) for head in heads]))
    by_user = np.mean([array(head.user) for head in heads], axis=0)
    by_item = np.mean([array(head.item) for head in heads], axis=0)
    return np.concatenate(users, axis=1), np.concatenate(items, axis=1), base, by_user, by_item
