"""Ratings as a Gaussian process, against the formulas; and their blend with the networks'."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch
from planted_shop import TINY
from scipy import sparse
from small_cases import cases, histories

from trefoil.data.histories import Cases
from trefoil.data.interactions import UNKNOWN_TIME, Interactions
from trefoil.evaluation.metrics.pointwise_metrics import rmse
from trefoil.evaluation.protocols.pointwise_exam import RowExam
from trefoil.fusion.ensemble.rating_blend import RatingBlend, fit_stars
from trefoil.fusion.features.star_scale import rated_once, scale_of
from trefoil.fusion.features.training_data import TrainingData
from trefoil.fusion.models import gaussian_process
from trefoil.fusion.models.gaussian_process import Rated, RatingProcess, expected_rows, fit_ratings
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.settings import load_settings
from trefoil.kg.item_facts import Facts

USERS, ITEMS = 200, 12


def known(user, item, stars, *, users=USERS, items=ITEMS, facts=None):
    """What base models would be fitted from, with these ratings alone."""
    events = Interactions(
        np.asarray(user, np.int64),
        np.asarray(item, np.int64),
        np.ones(len(user), bool),
        stars=np.asarray(stars, np.float32),
    )
    matrix = sparse.csr_matrix((np.ones(len(user)), (user, item)), (users, items))
    return TrainingData(events, matrix, histories(*[[]] * users), facts, None, False)


def some_ratings(seed=0, share=0.6):
    """Every pair with this probability: tastes for two kinds of items, and noise."""
    rng = np.random.default_rng(seed)
    user, item = np.nonzero(rng.random((USERS, ITEMS)) < share)
    taste = rng.normal(0, 1, (USERS, 2))[user, item % 2]
    return user, item, 3 + taste + rng.normal(0, 0.4, len(user))


def kinds():
    """Facts that tell even items from odd ones."""
    matrix = sparse.csr_matrix(np.eye(2, dtype=np.float32)[np.arange(ITEMS) % 2])
    return Facts(matrix, np.zeros(2, np.int64), np.arange(2), ("KIND",), (("Kind", 0), ("Kind", 1)))


def exam(user, item, stars):
    """These ratings, asked for."""
    asked, case = np.unique(user, return_inverse=True)
    label = np.asarray(stars, np.float32)
    return RowExam(Cases(asked, histories(*[[]] * len(asked))), case, item, label, ITEMS, "valid")


def begun(world, noise=0.5):
    """The process before any round, with a covariance of no special form."""
    kept = np.arange(ITEMS)
    rated = Rated.of(world, kept)
    process, _ = gaussian_process._start(world, rated, kept)
    noisy = torch.randn(ITEMS, ITEMS, generator=torch.Generator().manual_seed(1))
    return replace(process, kernel=noisy @ noisy.T / ITEMS + 0.1 * torch.eye(ITEMS)), rated, noise


def posterior(process, noise, item, stars):
    """Mean and covariance of one person's tastes, by the textbook."""
    kernel, seen = process.kernel.double().numpy(), np.asarray(item)
    inverse = np.linalg.inv(kernel[np.ix_(seen, seen)] + noise * np.eye(len(seen)))
    rest = (stars - process.mean) / process.unit - process.offset.numpy()[seen]
    gain = kernel[:, seen] @ inverse
    return gain @ rest, kernel - gain @ kernel[seen]


@pytest.mark.parametrize("cells", [8, 10_000], ids=["one by one", "in batches"])
def test_tastes_and_the_next_covariance_are_those_of_the_textbook(monkeypatch, cells):
    monkeypatch.setattr(gaussian_process, "CELLS", cells)
    user, item, stars = some_ratings()
    process, rated, noise = begun(known(user, item, stars))
    pull, moment = gaussian_process._posterior(process, rated, noise)
    process = replace(process, pull=pull)
    found = process.stars(cases(*[[]] * USERS)).numpy()
    total = np.zeros((ITEMS, ITEMS))
    people = np.unique(user)
    for one in people:
        mean, covariance = posterior(process, noise, item[user == one], stars[user == one])
        expected = process.mean + process.unit * (process.offset.numpy() + mean)
        assert np.allclose(found[one], expected, atol=1e-3)
        total += covariance + np.outer(mean, mean)
    monkeypatch.setattr(gaussian_process, "PRIOR", 0.0)
    updated = gaussian_process._update(process, moment, process.kernel)
    assert np.allclose(updated.kernel.numpy(), total / len(people), atol=1e-3)


def test_a_person_without_ratings_gets_those_of_the_items():
    user, item, stars = some_ratings()
    process = fit_ratings(known(user, item, stars, users=USERS + 1), None)
    asked = Cases(np.array([USERS, -1, 0]), histories([], [], []))
    found = process.stars(asked)
    of_items = process.mean + process.unit * process.offset
    assert torch.allclose(found[:2], of_items.expand(2, -1))
    assert not torch.allclose(found[2], found[0], atol=0.1)


def test_learning_what_is_alike_predicts_better_than_what_was_assumed():
    user, item, stars = some_ratings(share=0.8)
    held = np.random.default_rng(5).random(len(user)) < 0.25
    world = known(user[~held], item[~held], stars[~held])
    asked = exam(user[held], item[held], stars[held])
    learned = gaussian_process._error(fit_ratings(world, asked), asked)
    assumed = gaussian_process._error(fit_ratings(world, None), asked)
    assert learned < 0.9 * assumed


def test_facts_say_how_an_item_that_nobody_rated_will_be_liked():
    user, item, stars = some_ratings(share=0.8)
    new = item >= ITEMS - 2
    asked = exam(user[new], item[new], stars[new])
    error = {
        told: gaussian_process._error(
            fit_ratings(known(user[~new], item[~new], stars[~new], facts=facts), None), asked
        )
        for told, facts in (("with", kinds()), ("without", None))
    }
    assert error["with"] < 0.75 * error["without"]


@pytest.mark.parametrize("count", [1, 60])
def test_ratings_that_are_all_equal_are_expected_again(count):
    user, item, _ = some_ratings()
    world = known(user[:count], item[:count], np.full(count, 4.0))
    asked = exam(user[:count], item[:count], np.full(count, 4.0))
    process = fit_ratings(world, asked)
    assert torch.allclose(process.stars(cases([], [])), torch.tensor(4.0))
    flat_networks = Networks(np.full((USERS, ITEMS), 4.0, np.float32))
    rates = fit_stars(flat_networks, process, np.full(count, 4.0, np.float32), asked)
    assert torch.allclose(
        rates.blend(torch.full((1, ITEMS), 4.0), cases([])), torch.tensor(4.0), atol=1e-3
    )


def test_only_the_items_rated_most_take_part_where_there_are_many(monkeypatch):
    monkeypatch.setattr(gaussian_process, "MOST_ITEMS", 5)
    user, item, stars = some_ratings()
    process = fit_ratings(known(user, item, stars), exam(user, item, stars))
    often = np.sort(np.argsort(-np.bincount(item), kind="stable")[:5])
    assert process.kept.tolist() == often.tolist()
    assert process.stars(cases([], [])).shape == (2, 5)


class Networks:
    """Stands for the networks: these ratings, whoever asks."""

    def __init__(self, stars):
        self.table = torch.tensor(stars)

    def stars(self, asked):
        return self.table[asked.user]


def flat(kept, offset):
    """A process that says ``3 + offset`` of the kept items to everybody."""
    size = len(kept)
    none = sparse.csr_matrix((2, size), dtype=np.float32)
    return RatingProcess(3.0, torch.tensor(offset), torch.eye(size), none, np.array(kept), ITEMS)


def test_as_a_leaf_it_says_what_is_a_persons_own():
    process = flat([0, 2], [1.0, -1.0])
    pull = sparse.csr_matrix(np.array([[0.5, -0.25], [0, 0]], np.float32))
    process = replace(process, pull=pull)
    asked = Cases(np.array([0, 1, -1]), histories([], [], []))
    found = process.score(asked)
    assert found[0].tolist() == [0.5, 0.0, -0.25] + [0.0] * (ITEMS - 3)
    assert not found[1:].any()


def test_blending_by_hand():
    process = flat([0, 2], [1.0, -1.0])
    rates = RatingBlend(1.0, 5.0, 3.0, (0.5, 0.25, 0.1), (0.8, 0.2), process)
    learned = torch.tensor([[5.0, 4.0, 2.0, 9.0]])
    # kept: .5 * 2 + .25 * 1 + .1 and .5 * -1 - .25 + .1; others: .8 * 1 + .2 and the scale's end
    found = rates.blend(learned, cases([]))
    assert torch.allclose(found, torch.tensor([[4.35, 4.0, 2.35, 5.0]]))


def test_the_blend_takes_back_what_was_learned_too_well():
    rng = np.random.default_rng(0)
    truth = rng.normal(0, 1, (30, ITEMS))
    loud = 3 + 2 * truth.astype(np.float32)  # right, but twice too far from the mean
    user, item = (axis.ravel() for axis in np.indices(truth.shape))
    asked = exam(user, item, 3 + truth[user, item])
    given = np.array([1.0, 3.0, 5.0], np.float32)
    rates = fit_stars(Networks(loud), None, given, asked)
    assert rates.alone == pytest.approx((0.5, 0.0), abs=0.05)
    assert rates.process is None
    untold = fit_stars(Networks(loud), None, given, None)
    assert untold.alone == (1.0, 0.0)


def test_ratings_of_a_run_come_back_and_the_process_can_be_switched_off(shop, tmp_path):
    whole = Recommender(load_settings(None, TINY)).fit(shop)
    asked = whole.catalogue.cases(np.arange(5), {})
    before = whole.stars(asked)
    whole.save(tmp_path / "run")
    assert torch.equal(Recommender.load(tmp_path / "run").stars(asked), before)
    assert whole.model.rates.process is not None
    plain = Recommender(load_settings(None, [*TINY, "rating_process=false"])).fit(shop)
    assert plain.model.rates.process is None
    assert plain.stars(asked).shape == before.shape


def test_added_items_are_rated_and_the_others_stay_as_they_were(recommender):
    asked = recommender.catalogue.cases(np.arange(5), {})
    before = recommender.stars(asked)
    recommender.add_items(pl.DataFrame({"id": ["new"], "title": ["New"]}))
    after = recommender.stars(recommender.catalogue.cases(np.arange(5), {}))
    assert after.shape[1] == before.shape[1] + 1
    assert torch.allclose(after[:, :-1], before, atol=1e-4)
    assert torch.isfinite(after).all()


@pytest.mark.parametrize("scale", [1e3, 1e-3, 1e6, 1e-6])
@pytest.mark.parametrize("shift", [0.0, -3.0])
def test_the_unit_of_ratings_changes_no_figure(scale, shift):
    user, item, stars = some_ratings(share=0.8)
    stars = (stars + shift).astype(np.float32)
    held = np.random.default_rng(5).random(len(user)) < 0.25
    error, blend = [], []
    for unit in (1.0, scale):
        asked = exam(user[held], item[held], unit * stars[held])
        process = fit_ratings(known(user[~held], item[~held], unit * stars[~held]), asked)
        assert torch.isfinite(process.kernel).all()
        rows, expected = expected_rows(process, asked)
        error.append(rmse(asked.label[rows], expected) / unit)
        networks = Networks(np.full((USERS, ITEMS), unit * 2.0, np.float32))
        rates = fit_stars(networks, process, unit * stars[~held], asked)
        blend.append([*rates.both[:2], rates.both[2] / unit, *rates.alone[:1]])
    assert error[1] == pytest.approx(error[0], rel=1e-3)
    assert blend[1] == pytest.approx(blend[0], rel=1e-2, abs=1e-3)


def test_a_pair_rated_often_counts_once_with_the_mean():
    often = known([0, 0, 0, 1], [3, 3, 3, 3], [1.0, 2.0, 6.0, 4.0])
    once = known([0, 1], [3, 3], [3.0, 4.0])
    one, other = (Rated.of(world, np.arange(ITEMS)) for world in (often, once))
    assert one.start.tolist() == other.start.tolist()
    assert one.item.tolist() == [3, 3]
    assert one.stars.tolist() == other.stars.tolist()
    assert (one.mean, one.unit) == (3.5, 0.5)


def test_of_a_person_with_many_ratings_only_the_newest_take_part():
    events = Interactions(
        np.array([0, 0, 0, 0, 1]),
        np.array([5, 2, 7, 9, 2]),
        np.ones(5, bool),
        stars=np.array([5.0, 2.0, 7.0, 9.0, 1.0], np.float32),
        at=np.array([30, UNKNOWN_TIME, 10, 20, 0]),
    )
    user, item, stars = rated_once(events, 2, np.ones(ITEMS, bool))
    assert user.tolist() == [0, 0, 1]
    assert item.tolist() == [5, 9, 2]
    assert stars.tolist() == [5.0, 9.0, 1.0]
    untimed = replace(events, at=None)
    assert rated_once(untimed, 2, np.ones(ITEMS, bool))[1].tolist() == [7, 9, 2]


def test_no_batch_of_an_account_with_everything_passes_the_bound(monkeypatch):
    monkeypatch.setattr(gaussian_process, "MOST_RATINGS", 20)
    monkeypatch.setattr(gaussian_process, "CELLS", 400)
    user = np.concatenate([np.zeros(500, np.int64), np.repeat(np.arange(1, 40), 3)])
    item = np.concatenate([np.arange(500) % 100, np.arange(117) % 100])
    world = known(user, item, np.arange(617) % 5, items=100)
    sizes = [rows.shape for rows, _ in Rated.of(world, np.arange(100)).batches()]
    assert max(count * longest**2 for count, longest in sizes) <= 400
    assert torch.isfinite(fit_ratings(world, None).kernel).all()


def test_scale_of_equal_single_and_no_ratings_is_one():
    for equal in ([], [4.0], [1e9, 1e9], [0.0, 0.0], [0.1] * 7):
        assert scale_of(np.array(equal, np.float32))[1] == 1.0
