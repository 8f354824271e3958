"""An item whose events are all held out is an item without events, for everything learned."""

from dataclasses import replace

import numpy as np
import torch
from planted_shop import TINY, read_shop

from trefoil.data import split_events
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.settings import load_settings


def test_an_item_is_cold_whatever_happened_in_the_test_part(tmp_path):
    dataset = read_shop(tmp_path / "data", users=24, per_maker=6, events=5)
    split, events = split_events(dataset, 0), dataset.interactions
    held = events.item[split.open_test()]
    cold = int(np.bincount(held).argmax())
    train, valid = (rows[events.item[rows] != cold] for rows in (split.train, split.valid))
    settings = load_settings(None, [*TINY, "network.seeds=1"])
    model = Recommender(settings).fit(dataset, split=replace(split, train=train, valid=valid)).model
    positives = events.item[train][events.positive[train]]
    met = np.bincount(positives, minlength=len(dataset.items)) > 0
    assert not met[cold]
    assert torch.equal(model.seen, torch.from_numpy(met))
