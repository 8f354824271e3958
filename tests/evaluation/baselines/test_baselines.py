"""Each baseline finds planted structure and nothing in noise, and answers people never seen."""

from functools import partial

import numpy as np
import pytest
import torch
from planted_events import cycles, planted
from scipy import sparse

from trefoil.data import Cases, Categorical, Histories, Interactions, split_events
from trefoil.evaluation.baselines import (
    BPR,
    BUDGET,
    ContextHistory,
    DecayedLinear,
    GraphNeighbours,
    ImplicitALS,
    ItemNeighbours,
    LightGCN,
    Linear,
    Markov,
    Popularity,
    RecentPopularity,
    SASRec,
    TextNeighbours,
    UserNeighbours,
    settings_of,
    tune,
)
from trefoil.evaluation.protocols.protocols import full_exam
from trefoil.evaluation.result import examine

GROUP = np.eye(3, dtype=np.float32)[np.arange(60) % 3]  # what items are, in the planted world
PERSONAL = {
    "item-neighbours": ItemNeighbours.fit,
    "user-neighbours": UserNeighbours.fit,
    "linear": Linear.fit,
    "ials": partial(ImplicitALS.fit, factors=8, regularisation=1.0, alpha=5.0),
    "bpr": partial(BPR.fit, width=8, epochs=40),
    "lightgcn": partial(LightGCN.fit, width=8, epochs=30),
    "text-neighbours": partial(TextNeighbours.fit, vectors=GROUP, k=60),
    "graph-neighbours": partial(GraphNeighbours.fit, features=sparse.csr_matrix(GROUP), k=60),
}
JIT = "ignore:.*torch.jit.*:DeprecationWarning"  # raised by importing torch_geometric


@pytest.mark.filterwarnings(JIT)
@pytest.mark.parametrize("name", PERSONAL)
@pytest.mark.parametrize(
    ("signal", "low", "high"), [(1.0, 0.30, 1.0), (0.0, 0.10, 0.30)], ids=["planted", "noise"]
)
def test_finds_groups_of_taste_only_where_there_are_any(name, signal, low, high):
    """Of about 50 candidates chance puts .2 into ten places (.3 is three standard errors
    above it); among the 11 of a group, .9.
    """
    dataset = planted(users=150, signal=signal, seed=1)
    split = split_events(dataset, 0)
    exam = full_exam(dataset, split, "test")
    scorer = PERSONAL[name](dataset.interactions.take(split.train), 150, 60)
    value = examine(name, scorer, exam, ["recall@10"]).means()["recall@10"]
    assert low < value < high
    assert scorer.name == name


@pytest.mark.filterwarnings(JIT)
@pytest.mark.parametrize("name", PERSONAL)
def test_someone_never_seen_is_served_from_the_history_alone(name):
    dataset = planted(users=150, signal=1.0, seed=2)
    scorer = PERSONAL[name](dataset.interactions, 150, 60)
    history = Histories(np.array([0, 3, 3]), np.array([1, 4, 7]))
    scores = scorer.score(Cases(np.array([-1, -1]), history))
    assert scores.shape == (2, 60)
    assert torch.isfinite(scores).all()
    own = scores[0].numpy()[1::3]
    assert own.mean() > np.delete(scores[0].numpy(), np.arange(1, 60, 3)).mean()


def test_item_neighbours_by_hand():
    """Items 0 and 1 share both users, 2 has one of them: cosines 1, 1/sqrt 2."""
    log = Interactions(np.array([0, 0, 0, 1, 1]), np.array([0, 1, 2, 0, 1]), np.ones(5, bool))
    scorer = ItemNeighbours.fit(log, 2, 3)
    asked = Cases(np.array([-1]), Histories(np.array([0, 1]), np.array([0])))
    assert scorer.score(asked)[0].tolist() == pytest.approx([0, 1.0, 2**-0.5])


def test_linear_equals_its_definition():
    dataset = planted(users=40, items=12)
    met = Histories.of(dataset.interactions, 40).matrix(12).toarray().astype(float)
    inverse = np.linalg.inv(met.T @ met + 7 * np.eye(12))
    weights = np.where(np.eye(12, dtype=bool), 0.0, -inverse / np.diag(inverse))
    scorer = Linear.fit(dataset.interactions, 40, 12, regularisation=7.0)
    assert np.abs(scorer.weights.numpy() - weights).max() < 1e-6


def test_a_large_catalogue_keeps_the_most_met_items_in_the_linear_model():
    dataset = planted(users=40, items=12)
    scorer = Linear.fit(dataset.interactions, 40, 12, most=5)
    scores = scorer.score(full_exam(dataset, split_events(dataset, 0), "test").cases)
    counts = np.bincount(dataset.interactions.item, minlength=12)
    assert (scores.abs().sum(0) > 0).sum() == 5
    assert counts[scorer.kept].min() >= np.delete(counts, scorer.kept).max()


def test_of_a_large_catalogue_items_that_nobody_met_cost_the_linear_model_nothing():
    dataset = planted(users=40, items=12)
    whole = Linear.fit(dataset.interactions, 40, 30)
    few = Linear.fit(dataset.interactions, 40, 30, most=20)
    assert len(few.kept) == len(np.unique(dataset.interactions.item))
    histories = Histories.of(dataset.interactions, 40).matrix(30)
    assert torch.allclose(few.score_matrix(histories), whole.score_matrix(histories), atol=1e-5)


def test_ials_solves_the_weighted_least_squares_of_its_definition():
    dataset = planted(users=40, items=12)
    scorer = ImplicitALS.fit(dataset.interactions, 40, 12, factors=4, alpha=3.0, regularisation=2.0)
    history = Histories(np.array([0, 2]), np.array([3, 5]))
    confidence = np.ones(12)
    confidence[[3, 5]] = 4.0
    liked = np.isin(np.arange(12), [3, 5]).astype(float)
    y = scorer.items.double().numpy()
    left = y.T @ (confidence[:, None] * y) + 2 * np.eye(4)
    x = np.linalg.solve(left, y.T @ (confidence * liked))
    scores = scorer.score(Cases(np.array([-1]), history))[0].numpy()
    assert np.abs(scores - y @ x).max() < 1e-5


def test_recent_popularity_prefers_what_is_met_now():
    day = 86_400
    log = Interactions(
        np.arange(5),
        np.array([0, 0, 0, 1, 1]),
        np.ones(5, bool),
        at=np.array([0, 0, 0, 90 * day, 90 * day]),
    )
    asked = Cases(np.array([0]), Histories(np.zeros(2, np.int64), np.empty(0, np.int64)))
    assert Popularity.fit(log, 5, 2).score(asked).argmax() == 0
    recent = RecentPopularity.fit(log, 5, 2, half_life_days=30.0).score(asked)
    assert recent[0].tolist() == pytest.approx([3 / 8, 2.0])


def test_recent_popularity_needs_times():
    with pytest.raises(ValueError, match="time column"):
        RecentPopularity.fit(
            Interactions(np.zeros(1, int), np.zeros(1, int), np.ones(1, bool)), 1, 1
        )


@pytest.mark.parametrize(
    "fit",
    [Markov.fit, partial(SASRec.fit, width=16, epochs=25, rate=5e-3, dropout=0.0, length=8)],
    ids=["markov", "sasrec"],
)
def test_order_is_learned_where_the_next_item_is_certain(fit):
    dataset = cycles()
    split = split_events(dataset, 0)
    exam = full_exam(dataset, split, "test")
    scorer = fit(dataset.interactions.take(split.train), 200, 20)
    assert examine("", scorer, exam, ["hit@1"]).means()["hit@1"] > 0.9


def test_decay_weighs_the_newest_event_most():
    dataset = cycles()
    scorer = DecayedLinear.fit(dataset.interactions, 200, 20, regularisation=1.0, decay=0.01)
    long = Cases(np.array([-1]), Histories(np.array([0, 3]), np.array([9, 2, 5])))
    newest = Cases(np.array([-1]), Histories(np.array([0, 1]), np.array([5])))
    assert torch.allclose(scorer.score(long), scorer.score(newest), atol=1e-5)


def test_context_history_prefers_what_was_met_in_the_same_context():
    context = Categorical(np.array([0, 1, 1]), ("home", "work"))
    log = Interactions(
        np.zeros(3, np.int64), np.array([0, 1, 1]), np.ones(3, bool), scenario={"c": context}
    )
    scorer = ContextHistory.fit(log, 1, 4, pull=1.0)
    history = Histories.of(log, 1)
    home = scorer.score(Cases(np.array([0]), history, None, {"c": np.array([0])}))[0]
    nowhere = scorer.score(Cases(np.array([0]), history, None, {"c": np.array([-1])}))[0]
    assert home[0] > home[1] > home[2]  # e + .25 against 2 + .5, and no event
    assert nowhere[1] > nowhere[0]


@pytest.mark.parametrize(
    "fit",
    [
        partial(TextNeighbours.fit, vectors=np.ones((5, 2))),
        partial(GraphNeighbours.fit, features=sparse.csr_matrix((5, 2))),
    ],
)
def test_features_must_have_a_row_per_item(fit):
    with pytest.raises(ValueError, match="5 rows"):
        fit(planted().interactions, 200, 60)


@pytest.mark.filterwarnings(JIT)
@pytest.mark.parametrize("name", ["bpr", "lightgcn", "sasrec"])
def test_the_same_seed_gives_the_same_scores(name):
    dataset = planted(users=60)
    fit = {"bpr": BPR.fit, "lightgcn": LightGCN.fit, "sasrec": SASRec.fit}[name]
    cases = full_exam(dataset, split_events(dataset, 0), "test").cases
    one, two = (fit(dataset.interactions, 60, 60, epochs=3, seed=7).score(cases) for _ in range(2))
    assert torch.equal(one, two)


def test_training_stops_by_validation_and_keeps_its_best_weights():
    dataset = planted(users=60, signal=1.0)
    split = split_events(dataset, 0)
    exam = full_exam(dataset, split, "valid")
    seen = []

    def watch(scorer) -> float:
        seen.append(examine("", scorer, exam, ["ndcg@10"]).means()["ndcg@10"])
        return seen[-1] if len(seen) < 3 else -1.0

    scorer = BPR.fit(dataset.interactions.take(split.train), 60, 60, epochs=200, watch=watch)
    assert len(seen) == 2 + 6  # six looks without a better value
    value = examine("", scorer, exam, ["ndcg@10"]).means()["ndcg@10"]
    assert value == pytest.approx(max(seen[:2]))


def test_tuning_chooses_on_validation_within_the_budget():
    dataset = planted(users=150, signal=1.0)
    split = split_events(dataset, 0)
    train = dataset.interactions.take(split.train)
    valid = full_exam(dataset, split, "valid")
    grid = settings_of(Linear.fit, [{"regularisation": r} for r in (1e6, 10.0, 1e-3)])
    tuned = tune(grid, train, 150, valid)
    assert tuned.value == max(value for _, value in tuned.tried)
    assert tuned.tried[0][0] == {"regularisation": 1e6}
    alike = settings_of(Linear.fit, [{"regularisation": 9.0}, {"regularisation": 9.0, "most": 99}])
    assert tune(alike, train, 150, valid).settings == {"regularisation": 9.0}
    with pytest.raises(ValueError, match="budget"):
        tune(grid * BUDGET, train, 150, valid)
    with pytest.raises(ValueError, match="validation"):
        tune(grid, train, 150, full_exam(dataset, split, "test"))
