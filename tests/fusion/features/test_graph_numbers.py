"""Numbers that the graph says of items reach models where they are asked for, and only then."""

import numpy as np
import pytest

from trefoil.data import read_dataset
from trefoil.fusion.features.preparation import known_of
from trefoil.fusion.settings import load_settings
from trefoil.kg.construction.build import build

FILMS = 6


@pytest.fixture
def shop(tmp_path):
    """Six films; five have a date in the graph, and all a price in the table."""
    said = "".join(
        f'<http://e/f{n}> <http://e/released> "19{70 + n}-01-01"'
        f"^^<http://www.w3.org/2001/XMLSchema#date> .\n"
        for n in range(FILMS - 1)
    )
    (tmp_path / "graph.nt").write_text(said + f'<http://e/f{FILMS - 1}> <http://e/x> "y" .\n')
    prices = "".join(f"f{n},{n}.5\n" for n in range(FILMS))
    (tmp_path / "items.csv").write_text("id,price\n" + prices)
    events = "".join(f"u{user},f{(user + n) % FILMS}\n" for user in range(5) for n in range(3))
    (tmp_path / "events.csv").write_text("user,item\n" + events)
    (tmp_path / "dataset.toml").write_text(
        '[interactions]\nfile = "events.csv"\nuser = "user"\nitem = "item"\n'
        '[items]\nfile = "items.csv"\nid = "id"\nnumeric = ["price"]\n'
        '[graph]\nfiles = ["graph.nt"]\niri = "http://e/{id}"\n'
    )
    return read_dataset(tmp_path)


def numbers(shop, *changes):
    train = np.arange(len(shop.interactions))
    known = known_of(
        shop,
        shop.interactions.take(train),
        build(shop, train),
        None,
        load_settings(None, changes),
        returning=False,
    )
    return known.numbers


def test_dates_of_linked_items_are_years_where_they_are_asked_for(shop):
    assert list(numbers(shop)) == ["price"]
    found = numbers(shop, "graph.numbers=true")
    assert list(found) == ["released", "price"]
    wanted = [1970 + int(one[1:]) if one != "f5" else np.nan for one in shop.items.vocabulary.ids]
    np.testing.assert_equal(found["released"], np.array(wanted, np.float32))


@pytest.mark.parametrize("off", ["graph.on=false", "item_attributes=false"])
def test_numbers_of_the_graph_go_with_the_graph_and_with_numbers(shop, off):
    assert "released" not in numbers(shop, "graph.numbers=true", off)


def test_the_control_deals_them_to_other_items(shop):
    real, dealt = (
        numbers(shop, "graph.numbers=true", f"graph.shuffle={shuffle}")["released"]
        for shuffle in ("false", "true")
    )
    assert sorted(real[:5]) == sorted(dealt[:5])
    assert not np.array_equal(real, dealt, equal_nan=True)
