"""Base models and networks of large data learn at the same time, and learn the same."""

import threading

import pytest
import torch
from planted_shop import TINY, read_shop

from trefoil.fusion.recommender import Recommender
from trefoil.fusion.settings import load_settings
from trefoil.fusion.training import final_fit, model_selection, pipeline
from trefoil.fusion.training.side_by_side import begun


@pytest.mark.parametrize("final", [False, True])
def test_side_by_side_gives_the_model_of_one_after_the_other(tmp_path, monkeypatch, final):
    dataset = read_shop(tmp_path / "data")
    changes = ["large_items=20", "network.epochs=4", "linear.head_items=16", "text.on=false"]
    settings = load_settings(None, [*TINY, *changes])
    where: list[bool] = []
    learn = model_selection.fit_base_models

    def watched(*parts):
        where.append(threading.current_thread() is threading.main_thread())
        return learn(*parts)

    fitted = []
    for beside in (False, True):
        for part in (pipeline, final_fit):
            monkeypatch.setattr(part, "room_beside", lambda _, answer=beside: answer)
            monkeypatch.setattr(part, "fit_base_models", watched)
        fitted.append(Recommender(settings).fit(dataset, final=final))
    fits = 1 + final
    assert where == [True] * fits + [False] * fits
    users = fitted[0].catalogue.users.ids
    first, second = (one.recommend_many(users, 10) for one in fitted)
    assert first.equals(second)
    one, other = (each.model for each in fitted)
    assert one.gate == other.gate
    for own, others in zip(one.networks, other.networks, strict=True):
        for mine, yours in zip(own.parameters(), others.parameters(), strict=True):
            assert torch.equal(mine, yours)


def no_numbers() -> int:
    raise ValueError("no numbers")


def test_who_asks_for_the_result_of_a_thread_is_told_the_fault():
    result = begun(no_numbers, beside=True)
    with pytest.raises(ValueError, match="no numbers"):
        result.result()


def test_a_fault_or_stop_of_what_is_done_now_comes_at_once():
    """Nobody trains a network first."""
    with pytest.raises(ValueError, match="no numbers"):
        begun(no_numbers, beside=False)
