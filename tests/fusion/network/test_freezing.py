"""Weights from another run: which stay as they are, for how long, and at which rate they learn."""

import pytest
import torch
from torch import nn

from trefoil.fusion.network.freezing import groups_of, set_rates
from trefoil.fusion.network.warm_start import inherited
from trefoil.fusion.settings import load_settings

CAME = frozenset({"text.weight", "item_id.weight"})


def trained(*changes, looks=1):
    """How far each weight moves in one step after so many looks; rates are 0.1."""
    names = ("text.weight", "item_id.weight", "heads.a.weight", "entity_id.weight")
    named = {name: nn.Parameter(torch.ones(1)) for name in names}
    optimiser = torch.optim.SGD(groups_of(named, CAME), lr=0.1)
    set_rates([optimiser], load_settings(None, list(changes)).network, looks)
    torch.stack(list(named.values())).sum().backward()
    optimiser.step()
    return {name.split(".")[0]: round(1 - float(one.detach()), 6) for name, one in named.items()}


@pytest.mark.parametrize(
    ("freeze", "looks", "text", "item"),
    [
        ("none", 0, 0.1, 0.1),
        ("encoder", 5, 0.0, 0.1),
        ("all_but_heads", 5, 0.0, 0.0),
        ("gradually", 0, 0.0, 0.0),
        ("gradually", 1, 0.0, 0.1),
        ("gradually", 2, 0.1, 0.1),
    ],
)
def test_frozen_weights_stay_and_the_others_learn(freeze, looks, text, item):
    moved = trained(f"network.freeze={freeze}", looks=looks)
    assert moved == {"text": text, "item_id": item, "heads": 0.1, "entity_id": 0.1}


def test_what_came_from_elsewhere_learns_at_its_own_rate():
    moved = trained("network.inherited_rate=0.2")
    assert moved == {"text": 0.02, "item_id": 0.02, "heads": 0.1, "entity_id": 0.1}


def test_only_what_was_found_is_inherited():
    assert inherited({"items": 0, "text": 1}) == {"text.weight"}
