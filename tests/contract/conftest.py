"""A recommender for every small world, fitted and saved once for all tests of the contract."""

import json

import pytest
from asked import K, asked
from planted_shop import TINY
from small_worlds import WORLDS

from trefoil.data import read_dataset
from trefoil.data.split import Split
from trefoil.evaluation.protocols.protocols import exam_for
from trefoil.evaluation.ranking import rank
from trefoil.fusion.features.preparation import split_of
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.settings import load_settings


@pytest.fixture(scope="session")
def fitted(tmp_path_factory):
    """By name of the world: its dataset, recommender, run folder, and what it answered."""
    home, found = tmp_path_factory.mktemp("contract"), {}
    for name, write in WORLDS.items():
        dataset = read_dataset(write(home / "data" / name))
        recommender = Recommender(load_settings(None, [*TINY])).fit(dataset)
        run = home / "runs" / name
        recommender.save(run)
        tops = _tops(recommender, dataset)
        found[name] = dataset, run, tops, json.loads(json.dumps(asked(recommender)))
    return found


def _tops(recommender: Recommender, dataset) -> list[tuple[str, dict[str, str], list[str]]]:
    """User, context and first items of every case, as the exam of the test part ranks them."""
    split: Split = split_of(dataset, recommender.settings)
    exam = exam_for(dataset, split, "test")
    ranks = rank(recommender, exam, K)
    names = recommender.catalogue.scenarios
    items = dataset.items.vocabulary
    found = []
    for case, top in enumerate(ranks.top):
        codes = {name: int(column[case]) for name, column in exam.cases.scenario.items()}
        context = {name: names[name][code] for name, code in codes.items() if code >= 0}
        user = dataset.users.vocabulary[int(exam.cases.user[case])]
        found.append((user, context, [items[row] for row in top if row >= 0]))
    return found
