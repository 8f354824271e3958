"""A recommender of the planted shop, fitted once; tests that change one take a fresh copy."""

import pytest
from planted_shop import TINY, read_shop

from trefoil.fusion.recommender import Recommender
from trefoil.fusion.settings import load_settings


@pytest.fixture(scope="session")
def shop(tmp_path_factory):
    """The dataset of the planted shop."""
    return read_shop(tmp_path_factory.mktemp("shop") / "data")


@pytest.fixture(scope="session")
def shop_run(shop, tmp_path_factory):
    """A run of the planted shop."""
    folder = tmp_path_factory.mktemp("runs") / "shop"
    settings = load_settings(None, [*TINY, "network.epochs=14", "embedding_size=16"])
    Recommender(settings).fit(shop).save(folder)
    return folder


@pytest.fixture(scope="session")
def served(shop_run):
    """The recommender of that run, for tests that change nothing."""
    return Recommender.load(shop_run, live=False)


@pytest.fixture
def recommender(shop_run):
    """The recommender of that run, read anew."""
    return Recommender.load(shop_run, live=False)
