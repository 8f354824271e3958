"""The search for settings: on validation, and it goes on where it was stopped."""

import json

import pytest
from planted_shop import TINY, write_shop

from trefoil.data.errors import ConfigError
from trefoil.fusion.experiments.tune import best_of, main, tune
from trefoil.fusion.settings import load_settings

QUICK = (*TINY, "text.on=false", "behaviour.on=false", "network.seeds=1", "network.epochs=2")
SPACE = ["network.dropout", "network.layers"]


@pytest.fixture
def study(shop, tmp_path):
    return tune(shop, load_settings(None, QUICK), tmp_path / "study", trials=2, space=SPACE)


def test_the_first_trial_is_the_settings_given_and_the_best_is_no_worse(study):
    assert study.trials[0].user_attrs["changes"] == []
    ((best, settings),) = best_of(study, load_settings(None, QUICK))
    assert best.values[0] == max(trial.values[0] for trial in study.trials)
    assert settings.network.epochs == 2
    for change in best.user_attrs["changes"]:
        name, _, value = change.partition("=")
        assert str(getattr(settings.network, name.removeprefix("network."))) == value


def test_a_study_goes_on_where_it_stopped_and_only_with_the_same_question(shop, study, tmp_path):
    folder, settings = tmp_path / "study", load_settings(None, QUICK)
    before = [trial.values for trial in study.trials]
    more = tune(shop, settings, folder, trials=3, space=SPACE)
    assert [trial.values for trial in more.trials][:2] == before
    assert len(more.trials) == 3
    with pytest.raises(ConfigError, match="other space"):
        tune(shop, settings, folder, trials=4, space=SPACE[:1])
    with pytest.raises(ConfigError, match="other settings"):
        tune(shop, load_settings(None, [*QUICK, "seed=1"]), folder, trials=4, space=SPACE)
    with pytest.raises(ConfigError, match="other objectives"):
        tune(shop, settings, folder, objectives=["ndcg@10", "seconds"], space=SPACE)


def test_unknown_names_are_refused_with_the_known_ones(shop, tmp_path):
    settings = load_settings(None, QUICK)
    with pytest.raises(ConfigError, match=r"objective 'ndcg'; known are ndcg@10"):
        tune(shop, settings, tmp_path / "a", objectives=["ndcg"])
    with pytest.raises(ConfigError, match=r"'rate'; known are embedding_size"):
        tune(shop, settings, tmp_path / "b", space=["rate"])
    with pytest.raises(ConfigError, match="nothing to search"):
        tune(shop, load_settings(None, [*QUICK, "network.on=false"]), tmp_path / "c")


def test_the_command_writes_settings_for_each_best_compromise(tmp_path, capsys):
    data, out = write_shop(tmp_path / "data"), tmp_path / "study"
    flags = [part for change in QUICK for part in ("--set", change)]
    wishes = ["--objective", "ndcg@10", "--objective", "rmse"]
    asked = ["--data", str(data), "--out", str(out), "--trials", "3", *wishes, *flags]
    assert main([*asked, "--space", "network.dropout"]) == 0
    written = sorted(out.glob("best-*.toml"))
    assert written
    found = [json.loads(one.read_text().split("validation: ")[1].split("\n")[0]) for one in written]
    for one in found:  # no compromise beats another in both
        assert not any(o["ndcg@10"] > one["ndcg@10"] and o["rmse"] < one["rmse"] for o in found)
    for one in written:
        load_settings(one)
    assert "as given" in capsys.readouterr().out
