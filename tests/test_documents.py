"""What the pages show runs as it is shown: the shop of the tutorial, the toy base model."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from planted_shop import TINY, read_shop
from pydantic import BaseModel
from test_readme import write_shop as write_readme_shop

from docs.site.hooks import settings_tables
from trefoil import Settings, read_dataset, split_events
from trefoil.data.errors import DataError
from trefoil.fusion.models import listed
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.settings import load_settings

DOCS = Path(__file__).parents[1] / "docs"


def test_the_tutorial_makes_the_shop_that_it_shows(tmp_path):
    page = (DOCS / "tutorial.md").read_text("utf-8")
    script = re.search(r"```python\n(.*?)```", page, re.DOTALL)
    shown = re.search(r"```\n(reader,book,stars,at\n.*?)```", page, re.DOTALL)
    assert script
    assert shown
    (tmp_path / "make_shop.py").write_text(script[1], "utf-8")
    subprocess.run([sys.executable, "make_shop.py"], cwd=tmp_path, check=True)
    shop = read_dataset(tmp_path / "lantern-books")
    events = (tmp_path / "lantern-books/events.csv").read_text("utf-8").replace("\r", "")
    assert events.startswith(shown[1])
    assert (len(shop.users), len(shop.items), len(shop.interactions)) == (300, 48, 3000)
    assert split_events(shop, 0).rule.by == "time"


@pytest.mark.parametrize("name", ["recommending.md", "living.md"])
def test_the_calls_of_a_page_run(name, tmp_path):
    """As a stranger runs them: in a process of their own, on a run of the README's shop."""
    write_readme_shop(tmp_path / "my-shop")
    changes = [*TINY, "network.on=false", "reranker=false"]
    shop = read_dataset(tmp_path / "my-shop")
    Recommender(load_settings(None, changes)).fit(shop).save(tmp_path / "runs/mine")
    page = (DOCS / name).read_text("utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(blocks) >= 4
    (tmp_path / "calls.py").write_text("\n".join(blocks), "utf-8")
    environment = os.environ | {"PYTHONPATH": str(DOCS.parent)}
    run = [sys.executable, "-W", "error", "-W", "ignore::DeprecationWarning", "calls.py"]
    done = subprocess.run(run, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]


def test_the_reference_lists_every_call_that_speaks_in_ids():
    """Whoever adds a public call adds it to the page, or says here that it is an inner one."""
    inner = {"become", "click_scores", "follow", "journal", "knows", "score_together", "source"}
    inner |= {"stars", "state_without", "tell", "write"}
    page = (DOCS / "api.md").read_text("utf-8")
    told = re.search(r"members: \[(.*)\]", page)
    assert told
    listed = told[1].split(", ")
    listed += re.findall(r"^::: trefoil\.fusion\.\w+\.([a-z]\w*)$", page, re.MULTILINE)
    public = {name for name, one in vars_of(Recommender) if not name.startswith("_")}
    assert set(listed) == public - inner
    assert len(listed) == len(set(listed))


def test_the_page_of_settings_says_what_each_one_means():
    """The tables are printed from the code; comments stand above a field or behind it."""
    rows = re.findall(r"^\| `(.*?)` \| .* \|(.*)\|$", settings_tables(), re.MULTILINE)
    meanings = {name: meaning.strip() for name, meaning in rows}
    assert set(meanings) == set(leaves(Settings))
    assert [name for name, meaning in meanings.items() if not meaning] == []
    assert "in a visit and in later ones" in meanings["cooccurrence"]
    assert "at most 3.6" in meanings["memory_gb"]


def leaves(branch: type[BaseModel], prefix: str = "") -> list[str]:
    """The names of all settings, as ``--set`` takes them."""
    found: list[str] = []
    for name, field in branch.model_fields.items():
        kind = field.annotation
        inner = isinstance(kind, type) and issubclass(kind, BaseModel)
        found += leaves(kind, f"{prefix}{name}.") if inner else [f"{prefix}{name}"]
    return found


def vars_of(kind: type) -> list[tuple[str, object]]:
    """What a class and those it rests on define and can be called."""
    found = [(name, one) for base in kind.__mro__ for name, one in vars(base).items()]
    return [(name, one) for name, one in found if callable(getattr(kind, name, None))]


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """The base model of the page, its file on the path and its line in the list."""
    page = (DOCS / "extending.md").read_text("utf-8")
    file, line, *_ = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    line = f"\n\n\nfrom trefoil.fusion.models.listed import Line, timed\n\nTOY = {line}"
    (tmp_path / "toy_base_model.py").write_text(file + line, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    import toy_base_model  # type: ignore[import-not-found]

    monkeypatch.setattr(listed, "BASE_MODELS", (*listed.BASE_MODELS, toy_base_model.TOY))
    return toy_base_model


@pytest.mark.usefixtures("toy")
def test_the_toy_base_model_is_fitted_saved_loaded_and_takes_new_items(tmp_path):
    shop = read_shop(tmp_path / "data")
    changes = [*TINY, "network.on=false", "reranker=false"]
    recommender = Recommender(load_settings(None, changes)).fit(shop)
    model = recommender.model
    assert "newest" in model.gate.base_models
    assert "only newest" in model.record.gate
    users = np.arange(len(shop.users))
    asked = recommender.catalogue.cases(users, recommender.catalogue.scenario_codes(None, 60))
    scores = model.base_models["newest"].score(asked)
    assert scores.shape == (60, 40)
    past = model.known.history
    assert past.at is not None
    last = past.item[past.at == past.at.max()]
    assert set(np.flatnonzero(scores[0] == scores.max())) <= set(last)
    assert float(scores.max()) == 1.0
    recommender.save(tmp_path / "run")
    again = Recommender.load(tmp_path / "run")
    assert torch.equal(again.score(asked), recommender.score(asked))
    again.add_items(pl.DataFrame({"id": ["new"], "title": ["New"]}))
    extended = again.model.base_models["newest"].score(asked)
    assert torch.equal(extended[:, :-1], scores)
    assert not extended[:, -1].any()


def test_a_run_with_a_base_model_that_is_not_listed_is_neither_read_nor_written(
    toy, tmp_path, monkeypatch
):
    shop = read_shop(tmp_path / "data")
    recommender = Recommender(load_settings(None, [*TINY, "network.on=false"])).fit(shop)
    recommender.save(tmp_path / "run")
    lines = [line for line in listed.BASE_MODELS if line is not toy.TOY]
    monkeypatch.setattr(listed, "BASE_MODELS", tuple(lines))
    with pytest.raises(DataError, match="'newest' is unknown"):
        Recommender.load(tmp_path / "run")
    with pytest.raises(TypeError, match="'newest', a Newest, is no base model"):
        recommender.save(tmp_path / "other")
    with pytest.raises(TypeError, match="'newest', a Newest, is no base model"):
        recommender.add_items(pl.DataFrame({"id": ["new"], "title": ["New"]}))
