"""Scenario values by name: by hand, in a run, and where a column has no values."""

import polars as pl
import pytest
import torch
from planted_shop import ALONE

from trefoil.data import EventColumns, SplitRule, dataset_of
from trefoil.fusion.network.scenarios import NamedScenarios
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.settings import load_settings


def test_what_a_name_says_is_added_by_hand():
    named = NamedScenarios({"device": torch.tensor([[1.0, 0.0], [0.0, 2.0]])}, 3)
    scale, shift = torch.ones(2, 3), torch.zeros(2, 3)
    assert torch.equal(torch.stack(named("device", scale, shift)), torch.stack([scale, shift]))
    with torch.no_grad():
        named.shift.copy_(torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
    told = named("device", scale, shift)
    assert torch.equal(told[0], scale)
    assert told[1].tolist() == [[1.0, 2.0, 3.0], [8.0, 10.0, 12.0]]
    assert torch.equal(torch.stack(named("other", scale, shift)), torch.stack([scale, shift]))


@pytest.fixture(scope="module")
def weathered():
    """Who is where likes even items on a phone; nobody says what weather it is."""
    rows = [
        (f"u{user}", f"i{(2 * step + (user + step) % 2) % 12}", ("tv", "phone")[step % 2], None)
        for user in range(24)
        for step in range(8)
    ]
    names = dict.fromkeys(("user", "item", "device", "weather"), pl.String)
    columns = EventColumns("user", "item", scenario=("device", "weather"))
    frame = pl.DataFrame(rows, schema=names, orient="row")
    return dataset_of(frame, columns, rule=SplitRule("ratio"))


def test_a_run_that_reads_names_is_read_back_and_a_column_without_values_is_none(
    weathered, tmp_path
):
    changes = [*ALONE, "network.scenario_names=true", "network.epochs=4"]
    recommender = Recommender(load_settings(None, changes)).fit(weathered)
    network = recommender.model.networks[0]
    assert network.named is not None
    assert network.named.shift.any()
    recommender.save(tmp_path / "run")
    again = Recommender.load(tmp_path / "run", live=False)
    kept = again.model.networks[0].state_dict()
    assert all(torch.equal(one, kept[name]) for name, one in network.state_dict().items())
    for device in ("tv", "phone"):
        answer = again.recommend("u3", k=3, scenario={"device": device})
        assert answer == recommender.recommend("u3", k=3, scenario={"device": device})
