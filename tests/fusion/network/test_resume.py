"""A stopped training goes on bit by bit; damage, divergence and foreign checkpoints are named."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from planted_shop import TINY, beside_progress, read_shop, sets, write_shop

from trefoil.data.errors import ConfigError, TrainingError
from trefoil.fusion.network import objectives
from trefoil.fusion.network.batches import Cycle
from trefoil.fusion.network.checkpoints import KEPT, Checkpoints, partial_of
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.settings import load_settings
from trefoil.fusion.training import pipeline

ROOT = Path(__file__).parents[3]
TWO = ("network.seeds=2", "network.epochs=6", "behaviour.only_where_order_pays=false")


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return read_shop(tmp_path_factory.mktemp("small") / "data", users=24, per_maker=6, events=5)


def settings(*changes):
    return load_settings(None, [*TINY, *TWO, *changes])


def weights(recommender, folder):
    recommender.save(folder)
    return (folder / "model.safetensors").read_bytes()


class Stop:
    """Progress that stops at the n-th look at validation."""

    def __init__(self, looks):
        self.left = looks

    def __call__(self, _done, _total, what):
        self.left -= "validation" in what
        if self.left == 0:
            raise KeyboardInterrupt


def stopped(small, run, looks, *changes):
    checkpoints = Checkpoints.new(partial_of(run), {"source": "small"})
    with pytest.raises(KeyboardInterrupt):
        Recommender(settings(*changes)).fit(small, progress=Stop(looks), checkpoints=checkpoints)
    return checkpoints


@pytest.fixture(scope="module")
def whole(small, tmp_path_factory):
    """The weights of a training that was never stopped."""
    return weights(Recommender(settings()).fit(small), tmp_path_factory.mktemp("whole") / "run")


@pytest.mark.parametrize("looks", [1, 2, 3, 5])
def test_a_training_stopped_at_any_look_ends_with_the_same_bytes(small, whole, tmp_path, looks):
    stopped(small, tmp_path / "run", looks)
    again = Recommender(settings()).fit(small, checkpoints=Checkpoints.of(tmp_path / "run"))
    assert weights(again, tmp_path / "run") == whole
    assert [len(one) for one in again.model.record.history] == [3, 3]  # no look is lost


def test_a_training_stopped_twice_ends_with_the_same_bytes(small, whole, tmp_path):
    stopped(small, tmp_path / "run", 1)
    with pytest.raises(KeyboardInterrupt):
        Recommender(settings()).fit(
            small, progress=Stop(3), checkpoints=Checkpoints.of(tmp_path / "run")
        )
    again = Recommender(settings()).fit(small, checkpoints=Checkpoints.of(tmp_path / "run"))
    assert weights(again, tmp_path / "run") == whole


def test_without_the_states_of_the_generators_the_bytes_would_differ(
    small, whole, tmp_path, monkeypatch
):
    """What the test above would catch: dropout and batches depend on them."""
    stopped(small, tmp_path / "run", 2)
    monkeypatch.setattr(torch, "set_rng_state", lambda _: None)
    again = Recommender(settings()).fit(small, checkpoints=Checkpoints.of(tmp_path / "run"))
    assert weights(again, tmp_path / "run") != whole


def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(small, whole, tmp_path, caplog):
    stopped(small, tmp_path / "run", 2)
    newest, older = sorted(partial_of(tmp_path / "run").glob("*.safetensors"), reverse=True)
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes(content)
    again = Recommender(settings()).fit(small, checkpoints=Checkpoints.of(tmp_path / "run"))
    assert f"{newest}: damaged" in caplog.text
    assert older.name.startswith("network-0.epoch-000002")
    assert weights(again, tmp_path / "run") == whole


def test_only_the_newest_checkpoints_of_a_network_are_kept(small, tmp_path):
    stopped(small, tmp_path / "run", 5)
    names = sorted(path.name[:22] for path in partial_of(tmp_path / "run").glob("*.safetensors"))
    assert KEPT == 2
    assert names == [
        "network-0.epoch-000004",
        "network-0.epoch-000006",
        "network-1.epoch-000002",
        "network-1.epoch-000004",
    ]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("embedding_size=16", "began with embedding_size = 8, not 16"),
        ("network.epochs=8", "began with network.epochs = 6, not 8"),
        ("seed=1", "began with seed = 0, not 1"),
    ],
)
def test_other_settings_are_refused(small, tmp_path, change, said):
    stopped(small, tmp_path / "run", 1)
    with pytest.raises(ConfigError, match=said):
        Recommender(settings(change)).fit(small, checkpoints=Checkpoints.of(tmp_path / "run"))


def test_other_data_is_refused(small, tmp_path):
    stopped(small, tmp_path / "run", 1)
    other = read_shop(tmp_path / "other", users=24, per_maker=6, events=5, seed=1)
    with pytest.raises(ConfigError, match="began with data"):
        Recommender(settings()).fit(other, checkpoints=Checkpoints.of(tmp_path / "run"))


def test_a_checkpoint_of_another_network_is_named(small, tmp_path):
    stopped(small, tmp_path / "run", 1)
    start = partial_of(tmp_path / "run") / "start.json"
    start.write_text(start.read_text().replace('"embedding_size": 8', '"embedding_size": 16'))
    with pytest.raises(ValueError, match="state of network 0 does not fit"):
        Recommender(settings("embedding_size=16")).fit(
            small, checkpoints=Checkpoints.of(tmp_path / "run")
        )


def test_a_smaller_rate_may_be_asked_for(small, tmp_path):
    stopped(small, tmp_path / "run", 1)
    Recommender(settings("network.learning_rate=0.001")).fit(
        small, checkpoints=Checkpoints.of(tmp_path / "run")
    )


def test_nothing_to_resume_is_said_with_what_to_do(shop_run, tmp_path):
    with pytest.raises(ConfigError, match=r"nothing to resume \(it is finished\).*--from"):
        Checkpoints.of(shop_run)
    with pytest.raises(ConfigError, match=r"nothing to resume \(no .*run.partial\).*--out"):
        Checkpoints.of(tmp_path / "run")
    (tmp_path / "run.partial").mkdir()
    (tmp_path / "run.partial/photo.jpg").write_bytes(b"dear")
    with pytest.raises(ConfigError, match="holds no checkpoints; move it away"):
        Checkpoints.new(tmp_path / "run.partial")


def test_a_loss_that_is_not_a_number_names_the_objective_and_the_last_checkpoint(
    small, tmp_path, monkeypatch
):
    calls, loss = [], objectives.squared_error

    def broken(predicted, given):
        calls.append(1)
        return loss(predicted, given) * (torch.nan if len(calls) > 3 else 1.0)

    monkeypatch.setattr(objectives, "squared_error", broken)
    checkpoints = Checkpoints.new(partial_of(tmp_path / "run"))
    with pytest.raises(TrainingError) as caught:
        Recommender(settings()).fit(small, checkpoints=checkpoints)
    said = str(caught.value)
    assert "network 1: step 2 after epoch 2: a loss is not finite: rating = nan" in said
    assert f"last good checkpoint is {checkpoints.newest()}" in said
    newest = checkpoints.newest()
    assert newest is not None
    assert newest.name.startswith("network-0.epoch-000002")


def test_far_too_large_a_rate_says_which_setting_to_lower(small):
    with pytest.raises(TrainingError, match=r"ranking = nan.*; lower network\.learning_rate"):
        Recommender(settings("network.learning_rate=1e30")).fit(small)


def test_a_weight_that_is_not_a_number_is_named(small, tmp_path, monkeypatch):
    def poison(network):
        with torch.no_grad():
            network.item_id.weight[3, 2] = torch.inf

    monkeypatch.setattr(pipeline, "beginning", lambda *_: poison)
    checkpoints = Checkpoints.new(partial_of(tmp_path / "run"))
    said = r"1 of 192 numbers in item_id\.weight are not finite.*there is no checkpoint yet"
    with pytest.raises(TrainingError, match=said):
        Recommender(settings()).fit(small, checkpoints=checkpoints)


def test_batches_still_to_come_are_part_of_the_state():
    one, two = (Cycle(300, 64, torch.Generator().manual_seed(seed)) for seed in (0, 1))
    for _ in range(2):
        next(one)
    assert len(one.left) == 3
    two.left = list(one.left)
    two.generator.set_state(one.generator.get_state())
    for _ in range(9):
        assert torch.equal(next(one), next(two))


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize(("sent", "status"), [(signal.SIGKILL, -9), (signal.SIGTERM, 143)])
def test_a_killed_command_resumes_to_the_same_bytes(tmp_path, whole, sent, status):
    data = write_shop(tmp_path / "data", users=24, per_maker=6, events=5)
    run, flags = tmp_path / "run", sets(*TWO)
    code = (
        "import os, sys, train\n"
        "from trefoil.fusion.network.checkpoints import Checkpoints\n"
        "save = Checkpoints.save\n"
        "def then_die(self, network, learning):\n"
        "    path = save(self, network, learning)\n"
        "    if learning.epoch == 4:\n"
        f"        os.kill(os.getpid(), {int(sent)})\n"
        "    return path\n"
        "Checkpoints.save = then_die\n"
        "raise SystemExit(train.main(sys.argv[1:]))\n"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    died = subprocess.run(
        [sys.executable, "-c", code, "--data", str(data), "--out", str(run), *flags],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert died.returncode == status, died.stderr[-2000:]
    assert not run.exists()
    if sent != signal.SIGKILL:
        last = f"stopped; go on with: python train.py --resume {run}"
        assert beside_progress(died.stderr) == [last]
    from trefoil import train

    assert train.main(["--resume", str(run)]) == 0
    assert (run / "model.safetensors").read_bytes() == whole
    assert not partial_of(run).exists()
