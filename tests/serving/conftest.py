"""A service of the planted shop, and clients of it."""

import shutil

import pytest
from planted_shop import TINY, read_shop
from starlette.testclient import TestClient

from trefoil.fusion.recommender import Recommender
from trefoil.fusion.settings import load_settings
from trefoil.serving.access.keys import KeyFile
from trefoil.serving.app import create_app
from trefoil.serving.service import service_of


@pytest.fixture(scope="session")
def served_run(tmp_path_factory):
    """A run of the planted shop, and another beside it, whose scores are others."""
    folder = tmp_path_factory.mktemp("served")
    shop = read_shop(folder / "data")
    for name, more in {"shop": (), "next": ("linear.on=false",)}.items():
        settings = load_settings(None, [*TINY, "network.on=false", *more])
        Recommender(settings).fit(shop).save(folder / name)
    return folder / "shop"


@pytest.fixture
def service(served_run, tmp_path):
    """A service on loopback, without keys, that does jobs; of runs that a test may change."""
    shutil.copytree(served_run.parent, tmp_path / "runs", ignore=shutil.ignore_patterns("data"))
    return service_of([tmp_path / "runs" / served_run.name], jobs=tmp_path / "jobs.sqlite")


@pytest.fixture
def client(service):
    """Who asks it, from this machine."""
    with TestClient(create_app(service), base_url="http://127.0.0.1") as client:
        yield client


@pytest.fixture
def keyed(served_run, tmp_path):
    """A client of a service with keys, and one token for each set of scopes."""
    path = tmp_path / "keys.toml"
    file = KeyFile.load(path)
    tokens = {scope: file.add(scope, [scope])[1] for scope in ("read", "events", "admin", "cypher")}
    service = service_of([served_run], host="0.0.0.0", keys=path, names=["shop.example"])
    with TestClient(create_app(service), base_url="http://shop.example") as client:
        yield client, tokens
