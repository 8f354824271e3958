"""The second look: it finds what weights alike for everyone cannot say, and no more."""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
import pytest
import torch
from planted_shop import TINY, read_shop, write_shop
from small_cases import cases, histories

from trefoil.data import read_dataset, split_events
from trefoil.fusion.ensemble import reranker_fit
from trefoil.fusion.ensemble.gate import Gate, standardise
from trefoil.fusion.ensemble.gate_fit import fit_gate
from trefoil.fusion.ensemble.reranker import (
    FIRST,
    ListNetwork,
    Reranker,
    Shortlist,
    dropped,
    log_events_of,
    shortlist,
)
from trefoil.fusion.ensemble.reranker_fit import (
    FEWEST_CASES,
    fit_reranker,
    listwise,
    marks_of_other,
)
from trefoil.fusion.features.validation import Validation
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.settings import load_settings
from trefoil.fusion.training import blending, pipeline

CASES, ITEMS = FEWEST_CASES, 80


def fit(scores, gate, told, seed=0):
    events = told.masked.sum(0).float().log1p()
    z = standardise(scores, gate.base_models, told.seen)
    return fit_reranker(z, gate, told, events, returning=False, seed=seed)


def exam(relevant, lengths):
    """One case per row, whose history are its first items."""
    seen = torch.ones(relevant.shape[1], dtype=torch.bool)
    asked = cases(*[range(n) for n in lengths])
    masked = torch.zeros_like(relevant)
    for row, n in enumerate(lengths):
        masked[row, :n] = True
    return Validation(asked, masked, relevant, seen)


def planted(generator, signal):
    """Two base models; people with two past events follow the first, those with ten the second."""
    lengths = torch.where(torch.arange(CASES) % 2 == 0, 2, 10)
    relevant = torch.zeros(CASES, ITEMS, dtype=torch.bool)
    place = 10 + torch.rand(CASES, ITEMS - 10, generator=generator).topk(2, dim=1).indices
    relevant.scatter_(1, place, True)
    few = (lengths == 2)[:, None]
    noise = torch.randn(2, CASES, ITEMS, generator=generator)
    scores = {
        "one": noise[0] + signal * (relevant & few),
        "other": noise[1] + signal * (relevant & ~few),
    }
    return scores, exam(relevant, lengths.tolist())


@dataclass(frozen=True)
class Taught:
    """Two draws of a planted world; gate and reranker learned from the first."""

    scores: dict[str, torch.Tensor]
    told: Validation
    fresh: dict[str, torch.Tensor]
    later: Validation
    gate: Gate
    marks: dict[str, float]
    reranker: Reranker | None
    said: dict[str, float]

    @classmethod
    def of(cls, signal):
        generator = torch.Generator().manual_seed(0)
        first, second = planted(generator, signal), planted(generator, signal)
        scores, told = first
        names = tuple(scores)
        gate, marks = fit_gate(names, standardise(scores, names, told.seen), told)
        return cls(*first, *second, gate, marks, *fit(first[0], gate, first[1]))


@pytest.fixture(scope="module")
def taught():
    """A world in which there is something to learn."""
    return Taught.of(3.0)


def gained(world):
    """What the reranker adds on lists that nothing was learned from."""
    z = standardise(world.fresh, world.gate.base_models, world.later.seen)
    blended = world.gate.mix(z, world.later.seen)
    reranked = world.reranker.rerank(z, blended, world.later.cases)
    return world.later.ndcg(reranked) - world.later.ndcg(blended)


def test_whom_to_trust_is_learned_where_it_depends_on_the_person(taught):
    assert taught.said["reranked"] > taught.marks["chosen"] + 0.1
    assert 0.1 < gained(taught) < 0.5


def test_noise_teaches_nothing_that_harms():
    noise = Taught.of(0.0)
    assert noise.reranker is None or -0.03 < gained(noise) < 0.03


def test_nothing_is_taught_on_few_lists(taught):
    few = taught.told.take(torch.arange(FEWEST_CASES - 1))
    part = {name: one[: FEWEST_CASES - 1] for name, one in taught.scores.items()}
    assert fit(part, taught.gate, few) == (None, {})


def test_nothing_is_taught_where_the_first_items_hold_nothing_wanted():
    """Of 200 items the wanted one is always last by the gate."""
    relevant = torch.zeros(CASES, 200, dtype=torch.bool)
    relevant[:, -1] = True
    scores = {"one": -torch.arange(200.0).expand(CASES, -1)}
    assert fit(scores, Gate(("one",), (1.0,), (1.0,)), exam(relevant, [1] * CASES)) == (None, {})


def test_the_same_seed_teaches_the_same_and_another_does_not(taught, monkeypatch):
    monkeypatch.setattr(reranker_fit, "EPOCHS", 1)
    monkeypatch.setattr(reranker_fit, "FEWEST_STEPS", 40)
    learned = [fit(taught.scores, taught.gate, taught.told, seed)[0] for seed in (3, 3, 4)]
    one, again, other = (found.network.state_dict() for found in learned)
    assert all(torch.equal(tensor, again[name]) for name, tensor in one.items())
    assert not all(torch.equal(tensor, other[name]) for name, tensor in one.items())


def test_scores_are_dealt_anew_among_the_open_first_items():
    """Item 3 is met and first by the gate; of 0, 2 and 1 the last has the best mark."""
    blended = torch.tensor([[5.0, 1.0, 3.0, 9.0, -2.0]])
    rows = torch.tensor([[0, 2, 1, 3]])
    scores = blended.gather(1, rows)
    is_open = torch.tensor([[True, True, True, False]])
    short = Shortlist(rows, scores, is_open, torch.zeros(1, 4, 1))
    permuted = short.deal(blended, torch.tensor([[0.0, 1.0, 2.0, 7.0]]))
    assert permuted.tolist() == [[1.0, 5.0, 3.0, 9.0, -2.0]]


def test_features_by_hand():
    """Items were met 0, 1 and 3 times; the case met item 2, so 1 comes before 0, and 2 last."""
    z = torch.tensor([[[0.5, 2.0, 4.0]]])
    events = torch.tensor([0.0, 1.0, 3.0]).log1p()
    short = shortlist(z, z[0], histories([2]), events, returning=False)
    assert short.rows.tolist() == [[1, 0, 2]]
    assert short.open.tolist() == [[True, True, False]]
    mean = 6.5 / 3
    log = np.log
    expected = [2.0, 2.0, 2 - mean, 2 - mean, log(2), 0.0, 0.0, log(2), log(4)]
    assert short.features[0, 0].tolist() == pytest.approx(expected)
    assert short.features[0, 1, 4:7].tolist() == pytest.approx([0.0, 1.0, 1 / FIRST])  # cold
    back = shortlist(z, z[0], histories([2]), events, returning=True)
    assert back.rows.tolist() == [[2, 1, 0]]
    assert back.open.all()


def test_listwise_by_hand():
    """Two lists with one and four wanted: weights 1 and 2; one without any adds nothing."""
    marks = torch.tensor([[0.0, 1.0, -1e4, 0.0], [0.0] * 4, [3.0] * 4])
    relevant = torch.tensor([[True, False, False, False], [True] * 4, [False] * 4])
    first = np.log(2 + np.e)
    assert float(listwise(marks, relevant)) == pytest.approx((first + 2 * np.log(4)) / 3)


def test_without_a_history_the_gate_has_the_last_word(taught):
    z = torch.randn(2, 2, ITEMS, generator=torch.Generator().manual_seed(1))
    blended = taught.gate.mix(z, taught.told.seen)
    after = taught.reranker.rerank(z, blended, cases([], [0]))
    assert torch.equal(after[0], blended[0])
    assert not torch.equal(after[1], blended[1])
    assert torch.equal(after[1].sort().values, blended[1].sort().values)


@pytest.fixture(scope="module")
def reranked(tmp_path_factory):
    """A trained shop with a reranker that was taught nothing and has an opinion all the same."""
    shop = read_shop(tmp_path_factory.mktemp("shop") / "data", users=40, per_maker=8, events=6)
    recommender = Recommender(load_settings(None, [*TINY, "network.on=false"])).fit(shop)
    assert recommender.model.reranker is None  # so few cases
    model, generator = recommender.model, torch.Generator().manual_seed(0)
    features = 2 * (len(model.gate.base_models) + 1) + 5
    network = ListNetwork(features)
    network.start(torch.randn(9, features, generator=generator), generator)
    torch.nn.init.normal_(network.weight[-1], generator=generator)
    reranker = Reranker(network, log_events_of(model.known), returning=False)
    recommender._state = recommender.state.with_model(replace(model, reranker=reranker))
    return recommender


def test_a_run_keeps_its_reranker(reranked, tmp_path):
    reranked.save(tmp_path / "run")
    again = Recommender.load(tmp_path / "run")
    asked = reranked.catalogue.cases(np.arange(40), {}, np.zeros(0, np.int64))
    scores = reranked.score(asked)
    assert torch.equal(again.score(asked), scores)
    assert not torch.equal(scores, replace(reranked.model, reranker=None).score(asked))


def test_added_items_leave_the_order_of_the_others(reranked, tmp_path):
    reranked.save(tmp_path / "run")
    extended = Recommender.load(tmp_path / "run")
    none = np.zeros(0, np.int64)
    before = extended.score(extended.catalogue.cases(np.arange(40), {}, none))
    extended.add_items(pl.DataFrame({"id": ["new"], "title": ["new"], "text": ["soft blue"]}))
    told = np.array([len(before[0])])  # someone who met the new item, too
    after = extended.score(extended.catalogue.cases(np.arange(40), {}, none))
    assert torch.allclose(after[:, :-1], before, atol=1e-5)
    assert torch.isfinite(extended.score(extended.catalogue.cases(np.arange(40), {}, told))).all()


def test_a_blend_learned_elsewhere_must_fit_here(taught):
    gate, reranker, told = taught.gate, taught.reranker, taught.told
    z = standardise(taught.scores, gate.base_models, told.seen)
    here = z, gate, told
    other = marks_of_other(*here, gate, reranker)
    assert other is not None
    assert other["chosen"] == pytest.approx(taught.marks["chosen"])
    assert other["reranked"] > taught.said["reranked"]  # all members but one knew each list
    assert marks_of_other(*here, replace(gate, warm=(0.0, -1.0)), reranker) is None
    assert marks_of_other(*here, replace(gate, base_models=("one", "x")), reranker) is None


@pytest.mark.parametrize(("split", "times"), [('by = "given"', 1), ('by = "ratio"', 0)])
def test_where_validation_is_carved_the_blend_is_cross_fitted_on_training_alone(
    split, times, tmp_path, monkeypatch
):
    shop = write_shop(tmp_path / "data", users=FEWEST_CASES, per_maker=8, events=6)
    events = pl.read_csv(shop / "events.csv")
    part = pl.Series("part", ["test" if n % 6 == 0 else "train" for n in range(len(events))])
    events.with_columns(part).write_csv(shop / "events.csv")
    toml = (shop / "dataset.toml").read_text("utf-8").replace('by = "ratio"', split)
    toml = toml.replace('time = "at"', 'time = "at"\nsplit = "part"')
    (shop / "dataset.toml").write_text(toml, "utf-8")
    dataset = read_dataset(shop)
    whole, fit_model, cross_fitted = split_events(dataset, 0), pipeline.fit_model, []

    def inner(dataset, split, *rest, **more):
        cross_fitted.append((split, fit_model(dataset, split, *rest, **more)))
        return cross_fitted[-1][1]

    def mild(_scores, gate, _validation, log_events, **_):
        """Leaves lists as they are: the shop is too easy to teach anything on top of the gate."""
        network = ListNetwork(2 * (len(gate.base_models) + 1) + 5)
        return Reranker(network, log_events, returning=False), {}

    monkeypatch.setattr(pipeline, "fit_model", inner)
    monkeypatch.setattr(blending, "fit_reranker", mild)
    off = ("network.on=false", "linear.on=false", "cooccurrence=false", "item_fields=false")
    model = Recommender(load_settings(None, [*TINY, *off])).fit(dataset, split=whole).model
    del cross_fitted[-1]  # the fit itself
    assert len(cross_fitted) == times
    if times:
        part, taught = cross_fitted[0]
        assert set(part.train) | set(part.valid) == set(whole.train)
        assert 0.05 < len(part.valid) / len(whole.train) < 0.25
        assert model.gate == taught.gate
        assert model.reranker.network is taught.reranker.network
        assert len(model.reranker.log_events) == len(dataset.items)


def test_dropped_values_are_zero_and_the_mean_stays():
    x = torch.ones(3, 1001)  # no multiple of eight
    found = dropped(x, 0.25, torch.Generator().manual_seed(0))
    assert found.unique().tolist() == [0.0, pytest.approx(4 / 3)]
    share = (found == 0).float().mean(1)
    assert bool((share - 0.25).abs().max() < 0.05)
    assert torch.equal(found, dropped(x, 0.25, torch.Generator().manual_seed(0)))
