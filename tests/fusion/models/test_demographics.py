"""What is told of people, by hand and against plain algebra; people without events."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from planted_shop import TINY, read_shop
from scipy import sparse
from small_cases import cases, histories, random_events, table

from trefoil.data.histories import Cases
from trefoil.data.items import Labels, Users
from trefoil.data.vocabulary import Vocabulary
from trefoil.fusion.ensemble.cold_start_users import cold_user_scores, cold_users_gate
from trefoil.fusion.ensemble.gate import Gate
from trefoil.fusion.features.user_attributes import FEWEST, MOST, attributes_of
from trefoil.fusion.features.validation import Validation
from trefoil.fusion.models.demographics import RIDGE, people_alike
from trefoil.fusion.network.scorers import NetworkScorer
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.settings import load_settings

NAN = float("nan")


def people(count, *, labels=None, numbers=None):
    """Users with a label each (None: unknown) and a number each."""
    category, score = {}, {}
    if labels is not None:
        names = tuple(sorted({one for one in labels if one}))
        start = np.cumsum([0, *(one is not None for one in labels)]).astype(np.int64)
        codes = np.array([names.index(one) for one in labels if one], np.int64)
        category["town"] = Labels(start, codes, names)
    if numbers is not None:
        score["age"] = np.array(numbers, np.float32)
    ids = Vocabulary([f"u{user:03}" for user in range(count)])
    return Users(ids, category=category, score=score)


def told_of(users):
    """The table of attributes of users of whom something is told."""
    found = attributes_of(users)
    assert found is not None
    return found.table


def test_labels_are_columns_and_the_mean_stands_in_where_nothing_is_said():
    found = told_of(people(11, labels=["a"] * 6 + ["b"] * 2 + ["c"] + [None] * 2))
    assert found.shape == (12, 1)  # b and c are said of too few
    assert found.toarray().ravel().tolist() == [1.0] * 6 + [1.0] * 6  # all of whom it is said
    found = told_of(people(16, labels=["a"] * 5 + ["b"] * 10 + [None]))
    assert found[0].toarray().tolist() == [[1.0, 0.0]]
    assert np.allclose(found[[15, -1]].toarray(), [[1 / 3, 2 / 3]] * 2)
    many = [f"town {user % 60:02}" for user in range(60 * FEWEST)] + ["town 59"]
    assert told_of(people(len(many), labels=many)).shape == (len(many) + 1, MOST)


def test_a_number_counts_by_its_band():
    numbers = [*range(16), NAN]
    found = told_of(people(17, numbers=numbers)).toarray()
    assert found.shape == (18, 8)
    assert found[:16].argmax(1).tolist() == [band for band in range(8) for _ in range(2)]
    assert np.allclose(found[16:], 1 / 8)
    assert told_of(people(3, numbers=[5, 5, 5])).toarray().tolist() == [[0.0, 1.0]] * 4


def test_nothing_told_is_no_attributes():
    assert attributes_of(people(3)) is None
    assert attributes_of(people(3, labels=[None] * 3)) is None
    assert attributes_of(people(3, numbers=[NAN] * 3)) is None


def test_scores_are_ridge_regression_of_each_item_on_the_attributes():
    rng = np.random.default_rng(0)
    events = random_events(60, 7)
    events = sparse.vstack([events[:3], table([0] * 7), events[4:]]).tocsr()  # one met nothing
    towns = ["north" if one else "south" for one in rng.random(60) < 0.4]
    told = told_of(people(60, labels=towns, numbers=rng.random(60)))
    base_model = people_alike(told, events)
    some = events.toarray().any(1)
    assert not some[3]
    rows = told[:-1].toarray()[some]
    for item in range(7):
        met = events[:, [item]].toarray().ravel()[some]
        expected = np.linalg.solve(rows.T @ rows + RIDGE * np.eye(rows.shape[1]), rows.T @ met)
        assert np.allclose(base_model.weights[:, item], expected, atol=1e-5)
    asked = Cases(np.array([3, -1]), histories([], [0, 1]))
    expected = torch.from_numpy(told[[3, 60]].toarray()) @ base_model.weights
    assert torch.allclose(base_model.score(asked), expected)
    assert expected.std() > 0.01  # so that the bound says something


@pytest.fixture(scope="module")
def towns(tmp_path_factory):
    """The planted shop, where people of one town love one maker; five more have no events."""
    shop = read_shop(tmp_path_factory.mktemp("towns") / "data", users=80)
    count = len(shop.users)
    names = [*shop.users.vocabulary.ids, *(f"v{number}" for number in range(5))]
    home: list[int | None] = [int(name[1:]) % 4 for name in names]
    home[-1] = None
    start = np.cumsum([0, *(one is not None for one in home)]).astype(np.int64)
    codes = np.array([one for one in home if one is not None], np.int64)
    told = Labels(start, codes, ("north", "east", "south", "west"))
    assert len(names) == count + 5
    return replace(shop, users=Users(Vocabulary(names), category={"town": told}))


def best_makers(recommender, user, k=8):
    return [one.item[1] for one in recommender.recommend(user, k=k)]


def test_people_without_events_are_served_by_what_is_told_of_them(towns, tmp_path):
    recommender = Recommender(load_settings(None, [*TINY])).fit(towns)
    for user in range(4):
        assert best_makers(recommender, f"v{user}").count(str(user)) >= 7  # by chance 2
    assert len(set(best_makers(recommender, "v4"))) > 1  # of whom nothing is told
    anyone = [one.item for one in recommender.recommend("nobody", k=8)]
    assert [one.item for one in recommender.recommend("v4", k=8)] == anyone
    recommender.save(tmp_path / "run")
    loaded = Recommender.load(tmp_path / "run")
    asked = loaded.catalogue.cases(np.arange(85), loaded.catalogue.scenario_codes(None, 85))
    assert torch.equal(loaded.score(asked), recommender.score(asked))


def test_people_without_events_are_served_like_people_never_seen(towns):
    recommender = Recommender(load_settings(None, [*TINY, "user_attributes=false"])).fit(towns)
    anyone = [one.item for one in recommender.recommend("nobody", k=40)]
    for user in range(5):
        assert [one.item for one in recommender.recommend(f"v{user}", k=40)] == anyone
    past = histories([0, 1, 2])  # of later events, as validation brings them
    known, never = (Cases(np.array([row]), past) for row in (80, -1))
    network = recommender.model.base_models["network"]
    assert torch.equal(network.score(known), network.score(never))
    assert not torch.equal(network.score(known), network.score(Cases(np.array([0]), past)))
    none = Cases(np.array([-1]), histories([]))
    assert isinstance(network, NetworkScorer)
    assert torch.equal(network.stars(known), network.stars(none))  # biases of items alone


class Says:
    """A base model that says the same of every case, and more where there is a history."""

    def __init__(self, *scores, known=0.0, reads=()):
        self.scores, self.known, self.reads = torch.tensor(scores), known, frozenset(reads)

    def score(self, cases):
        self.users = cases.user.tolist()
        told = torch.from_numpy(cases.history.lengths > 0).float() * self.known
        return self.scores + told[:, None] * torch.eye(len(self.scores))[0]


@pytest.mark.parametrize("popular", [True, False])
def test_cold_users_are_judged_without_their_histories(popular):
    """With histories the network is always right; without, whoever is right of anyone wins."""
    relevant = torch.tensor([[True, False, False]] * 4)
    masked = torch.zeros(4, 3, dtype=torch.bool)
    asked = Validation(cases(*[[2]] * 4), masked, relevant, torch.ones(3, dtype=torch.bool))
    right, wrong = (5.0, 1.0, 0.0), (0.0, 1.0, 5.0)
    base_models = {
        "network": Says(*(wrong if popular else right), known=50.0, reads=["events"]),
        "popularity": Says(*(right if popular else wrong)),
        "demographics": Says(0.0, 0.0, 0.0, reads=["attributes"]),
    }
    usual = Gate(("network", "popularity"), (1.0, 0.1), (1.0, 0.1))
    found, marks = cold_users_gate(base_models, usual, asked)
    assert (found is not None) == popular
    assert marks["cold_users" if popular else "usual"] == 1.0
    assert max(marks.values()) > min(marks.values())
    assert base_models["network"].users == [-1] * 4  # or it would know them by their id
    assert base_models["demographics"].users == [0, 1, 2, 3]


def test_cold_users_find_items_without_events_last():
    gate = Gate(("demographics", "popularity"), (1.0, 1.0), (1.0, 1.0))
    popular = torch.tensor([[2.0, 1.0, 0.0]])
    told = torch.tensor([[0.2, 0.4, 0.0]])
    scores = cold_user_scores(gate, {"demographics": told, "popularity": popular}, 3)
    assert int(scores.argmin()) == 2
    more = {
        "demographics": torch.cat([told, told], 1),
        "popularity": torch.cat([popular, popular], 1),
    }
    extended = cold_user_scores(gate, more, 3)
    assert torch.equal(extended[:, :3], scores)  # items added later move nobody
    assert bool((extended[:, 3:] == scores.min()).all())


def test_cases_without_history_are_answered_by_their_own_gate(recommender, tmp_path):
    asked = cases([0, 1], [], [5])
    usual = replace(recommender.model, cold_users=None).score(asked)
    gate = Gate(("demographics", "popularity"), (1.0, 1.0), (1.0, 1.0))
    model = replace(recommender.model, cold_users=gate)
    recommender._state = recommender.state.with_model(model)
    found = model.score(asked)
    said = {name: model.base_models[name].score(asked) for name in gate.base_models}
    assert torch.equal(found[[0, 2]], usual[[0, 2]])
    assert torch.allclose(found[1], cold_user_scores(gate, said, 40)[1])
    assert not torch.allclose(found[1], usual[1])
    recommender.save(tmp_path / "run")
    assert torch.allclose(Recommender.load(tmp_path / "run").score(asked), found, atol=1e-4)
