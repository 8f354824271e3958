"""What a run holds survives loading and saving, and what it cannot hold is refused."""

import json
from dataclasses import replace

import pytest
import torch
from planted_shop import sets, write_shop

from trefoil import evaluate, read_dataset, train
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.settings import load_settings


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A shop, and a run of it by the command line."""
    home = tmp_path_factory.mktemp("kept")
    write_shop(home / "shop", users=24, per_maker=6, events=5)
    told = ["--data", str(home / "shop"), "--out", str(home / "run")]
    assert train.main([*told, *sets("network.seeds=1")]) == 0
    return home


def test_loaded_and_saved_a_run_keeps_report_card_history_and_origin(home):
    Recommender.load(home / "run").save(home / "copy")
    names = ("report.json", "report.html", "history.jsonl", "MODEL_CARD.md", "record.json")
    for name in (*names, "model.safetensors", "model.json", "events.safetensors", "catalogue.json"):
        assert (home / "copy" / name).read_bytes() == (home / "run" / name).read_bytes(), name
    one, other = (json.loads((home / run / "manifest.json").read_text()) for run in ("run", "copy"))
    assert one["data"] == other["data"]
    assert one["dataset"] == other["dataset"]


def test_a_run_saved_from_python_is_evaluated_where_its_data_lie(home, capsys):
    dataset = read_dataset(home / "shop")
    settings = load_settings(None, [one for one in sets("network.seeds=1") if one != "--set"])
    Recommender(settings).fit(dataset).save(home / "python")
    assert evaluate.main([str(home / "python")]) == 2
    assert "--data" in capsys.readouterr().err
    figures = home / "figures.json"
    told = [str(home / "python"), "--data", str(home / "shop"), "--json", str(figures)]
    assert evaluate.main(told) == 0
    assert json.loads(figures.read_text())["results"]["trefoil"]["ndcg@10"] > 0


def test_a_base_model_of_an_unknown_kind_is_refused_when_saving(home, tmp_path):
    class Oracle:
        def score(self, cases):
            return torch.zeros(len(cases), 24)

    recommender = Recommender.load(home / "run")
    model = replace(
        recommender.model, base_models={**recommender.model.base_models, "oracle": Oracle()}
    )
    recommender._state = recommender.state.with_model(model)
    with pytest.raises(TypeError, match="'oracle', a Oracle, is no base model"):
        recommender.save(tmp_path / "run")
    assert not (tmp_path / "run").exists()
