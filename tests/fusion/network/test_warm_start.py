"""Another run's texts and facts give a head start where makers are shared, and only there."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch
from planted_shop import MAKERS, TINY, read_shop

from trefoil.data import EntityColumns, EventColumns, dataset_of
from trefoil.data.errors import ConfigError
from trefoil.data.split import split_events
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.settings import load_settings

SMALL = (
    "network.epochs=1",
    "network.evaluate_every=1",
    "network.learning_rate=0.0001",
    "behaviour.on=false",
)


def settings(*changes):
    return load_settings(None, [*TINY, "embedding_size=16", *changes])


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A run of a large shop: 200 users, items 0 to 14 of each maker, loved in pairs."""
    folder = tmp_path_factory.mktemp("large") / "data"
    shop = read_shop(folder, users=200, per_maker=15, events=9, pairs=True)
    learned = Recommender(settings("network.epochs=20", "behaviour.on=false")).fit(shop)
    folder = tmp_path_factory.mktemp("runs") / "large"
    learned.save(folder)
    return Recommender.load(folder)  # so that transfer is tried through the files


def first_mark(recommender):
    """Validation NDCG@10 of the network after its first look."""
    return recommender.model.record.history[0][0]["valid_ndcg@10_ranking"]


def target(folder):
    """A small shop of the same makers whose users and items the source has never met."""
    return read_shop(folder, users=40, per_maker=8, events=4, first=50, prefix="v", seed=5)


def crossed():
    """Users who have met one maker of a pair, and are asked about the other.

    Nothing here says which makers go together; only the source has seen it.
    """
    items = [f"i{maker}-{90 + number}" for maker in range(4) for number in range(4)]
    triples = [
        (
            f"urn:item:{item}",
            "https://example.org/madeBy",
            f"https://example.org/{MAKERS[int(item[1])]}",
        )
        for item in items
    ]
    rows = []
    for user in range(48):
        maker = user % 4
        for number in range(5):
            part, whose = ("train", maker) if number < 3 else ("valid", maker ^ 1)
            part = "test" if number == 4 else part
            rows.append((f"w{user}", f"i{whose}-{90 + (user // 4 + number) % 4}", part))
    return dataset_of(
        pl.DataFrame(rows, schema=["user", "item", "split"], orient="row"),
        EventColumns("user", "item", split="split"),
        items=pl.DataFrame({"id": items}),
        item_columns=EntityColumns("id"),
        graph=pl.DataFrame(triples, schema=["head", "relation", "tail"], orient="row"),
    )


def as_said_by(source, transform):
    """A source whose entities are known under other names' vectors."""
    given = source.source()
    return replace(given, entities=transform(given.entities))


def test_what_goes_together_elsewhere_is_a_head_start_here(source, monkeypatch):
    """After one look, against a random start and against vectors given to the wrong makers."""
    shop = crossed()
    fresh = Recommender(settings(*SMALL)).fit(shop)
    begun = Recommender(settings(*SMALL)).fit(shop, start=source)
    assert begun.model.record.transfer == {"items": 0, "entities": 4, "relations": 1}

    def swapped(entities):
        """Grace and Emmy exchange their vectors, so that wrong makers go together."""
        keys = {name: ("Entity", f"https://example.org/{name}") for name in ("Grace", "Emmy")}
        return entities | {
            keys["Grace"]: entities[keys["Emmy"]],
            keys["Emmy"]: entities[keys["Grace"]],
        }

    wrong = as_said_by(source, swapped)
    monkeypatch.setattr(type(source), "source", lambda _: wrong)
    misled = Recommender(settings(*SMALL)).fit(shop, start=source)
    assert first_mark(begun) > first_mark(fresh) + 0.1
    assert first_mark(begun) > first_mark(misled) + 0.05


def test_items_are_met_again_by_their_ids(source, tmp_path):
    shop = read_shop(tmp_path / "again", users=24, per_maker=6, events=5, prefix="v", seed=9)
    begun = Recommender(settings(*SMALL)).fit(shop, start=source)
    assert begun.model.record.transfer["items"] == 24
    one, two = begun.model.networks[0], source.model.networks[0]
    here, there = begun.catalogue.items.vocabulary, source.catalogue.items.vocabulary
    mine = one.item_id.weight[[here.row(item) for item in ("i0-1", "i3-4")]]
    theirs = two.item_id.weight[[there.row(item) for item in ("i0-1", "i3-4")]]
    assert torch.allclose(mine, theirs, atol=5e-3)  # four steps of at most 1e-4 each


def test_the_whitening_of_the_source_is_taken_over_and_saved(source, tmp_path):
    begun = Recommender(settings(*SMALL)).fit(target(tmp_path / "small"), start=source)
    begun.save(tmp_path / "run")
    again = Recommender.load(tmp_path / "run")
    for one in (begun, again):
        assert torch.equal(one.model.texts.whitening.mean, source.model.texts.whitening.mean)
    cases = again.catalogue.cases(np.arange(5), {"device": np.full(5, -1)})
    assert torch.equal(again.score(cases), begun.score(cases))


def test_another_width_is_refused_with_the_remedy(source, tmp_path):
    with pytest.raises(ConfigError, match=r"embedding_size is 8, but 16 .* set embedding_size=16"):
        Recommender(settings("embedding_size=8", *SMALL)).fit(
            target(tmp_path / "small"), start=source
        )


def test_a_run_without_a_network_cannot_be_started_from(tmp_path):
    shop = target(tmp_path / "small")
    bare = Recommender(settings("network.on=false")).fit(shop)
    with pytest.raises(ConfigError, match="no network"):
        Recommender(settings(*SMALL)).fit(shop, start=bare)


def test_another_encoder_keeps_its_own_whitening(source, tmp_path):
    begun = Recommender(settings("text.max_tokens=32", *SMALL)).fit(
        target(tmp_path / "small"), start=source
    )
    assert begun.model.record.transfer["text"] == 0
    assert begun.model.texts.whitening is not source.model.texts.whitening


def test_the_test_part_of_the_target_stays_closed(source, tmp_path, monkeypatch):
    shop = target(tmp_path / "small")
    split = split_events(shop, 0)
    monkeypatch.setattr(type(split), "open_test", lambda _: pytest.fail("the test part was opened"))
    Recommender(settings(*SMALL)).fit(shop, split=split, start=source)
