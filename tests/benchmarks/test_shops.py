"""The planted shops of the growth benchmark: what is planted can be found again."""

import numpy as np
import pytest

from benchmarks.scale import reference
from benchmarks.shops import Shop, write_shop
from trefoil.data import read_dataset
from trefoil.evaluation.baselines import Popularity
from trefoil.evaluation.protocols.protocols import full_exam
from trefoil.evaluation.result import examine
from trefoil.fusion.features.preparation import split_of
from trefoil.fusion.settings import Settings

SHOP = Shop(users=400, items=2000, events=12_000, seed=3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_shop(tmp_path_factory.mktemp("shop"), SHOP)


def test_a_shop_is_the_same_for_the_same_seed(folder, tmp_path):
    again = write_shop(tmp_path / "again", SHOP)
    for name in ("events.parquet", "items.parquet", "facts.nt", "dataset.toml"):
        assert (again / name).read_bytes() == (folder / name).read_bytes()
    other = write_shop(tmp_path / "other", Shop(400, 2000, 12_000, seed=4))
    assert (other / "events.parquet").read_bytes() != (folder / "events.parquet").read_bytes()


def test_a_shop_is_read_whole_with_texts_facts_times_and_contexts(folder):
    dataset = read_dataset(folder)
    events = dataset.interactions
    assert len(events) == 12_000
    assert (len(dataset.items), events.at is not None) == (2000, True)
    assert events.scenario["part"].names == ("evening", "morning", "night", "noon")
    assert all(dataset.items.texts)
    assert not dataset.report.reasons
    counts = np.sort(np.bincount(events.item))[::-1]
    assert counts[:200].sum() > 0.4 * len(events)  # a long tail: a tenth of the items has this much


def test_neighbours_find_the_tastes_that_popularity_misses(folder):
    dataset = read_dataset(folder)
    split = split_of(dataset, Settings())
    exam = full_exam(dataset, split, "valid")
    train = dataset.interactions.take(split.train)
    popular = Popularity.fit(train, len(dataset.users), len(dataset.items))
    neighbours = reference("item-neighbours", dataset, split, lambda *_: None)
    marks = [
        examine("", one, exam, ["ndcg@10"]).means()["ndcg@10"] for one in (popular, neighbours)
    ]
    assert marks[1] > 1.3 * marks[0]
