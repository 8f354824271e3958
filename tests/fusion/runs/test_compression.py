"""Runs in fewer bits answer nearly as the whole ones, say what that cost, and refuse to learn."""

import numpy as np
import pytest

from trefoil.data.errors import ConfigError
from trefoil.fusion.live.log import place_of
from trefoil.fusion.plan.packing import LEAST, held_bytes, packed, unpacked
from trefoil.fusion.recommender import Recommender


def test_eight_bits_err_by_less_than_they_say():
    rng = np.random.default_rng(0)
    array = (rng.standard_normal((130, 97)) * rng.lognormal(0, 3, (130, 1))).astype(np.float32)
    found = unpacked(packed(array, "int8"))
    blocks = np.abs(np.pad(array.ravel(), (0, -array.size % 64)).reshape(-1, 64)).max(1)
    bound = np.repeat(blocks, 64)[: array.size].reshape(array.shape) / 254
    assert (np.abs(found - array) <= bound * 1.001).all()
    assert sum(one.nbytes for one in packed(array, "int8").values()) < array.nbytes * 0.27
    half = unpacked(packed(array, "float16")).astype(np.float32)
    np.testing.assert_allclose(half, array, rtol=1e-3, atol=1e-4)


def test_what_does_not_fit_stays_as_it_is():
    large = np.full(LEAST, 1e6, np.float32)
    assert packed(large, "float16")[""] is large
    few, whole = np.ones(9, np.float32), np.arange(LEAST)
    assert packed(few, "int8")[""] is few
    assert packed(whole, "int8")[""].dtype == np.int16
    np.testing.assert_array_equal(unpacked(packed(whole, "int8")), whole)
    zeros = np.zeros((LEAST, 2), np.float32)
    np.testing.assert_array_equal(unpacked(packed(zeros, "int8")), zeros)


@pytest.mark.parametrize(
    ("precision", "most", "same"), [("float16", 0.001, 0.99), ("int8", 0.02, 0.9)]
)
def test_a_run_in_fewer_bits_answers_nearly_as_the_whole_one(
    recommender, tmp_path, precision, most, same
):
    small = recommender.save(tmp_path / "small", precision=precision)
    again = Recommender.load(tmp_path / "small", live=False)
    assert abs(small.loss) <= most
    assert small.overlap >= same
    assert small.learned_bytes[1] < small.learned_bytes[0]
    card = (tmp_path / "small" / "MODEL_CARD.md").read_text("utf-8")
    assert str(small) in card
    assert small.memory_bytes == held_bytes(again.state.scorer.parts)
    users = list(recommender.catalogue.users.ids)
    lists = [one.recommend_many(users, k=10)["item"].to_list() for one in (recommender, again)]
    assert np.mean([a == b for a, b in zip(*lists, strict=True)]) > 0.5
    one, other = (each.recommend("u0", k=5) for each in (recommender, again))
    assert len({a.item for a in one} & {b.item for b in other}) >= 4
    assert other[0].reasons
    assert other[0].stars == pytest.approx(one[0].stars, abs=0.2)
    again.add_events([{"user": "new", "item": "i2-1"}])
    assert again.recommend("new").based_on.events == 1


def test_a_run_in_fewer_bits_refuses_to_learn_and_says_where_to(recommender, tmp_path, shop_run):
    recommender.save(tmp_path / "small", precision="int8")
    again = Recommender.load(tmp_path / "small", live=False)
    for asked in (
        again.update,
        lambda: again.change_items([{"id": "i2-1", "text": "x"}]),
        lambda: again.forget("u1"),
    ):
        with pytest.raises(ConfigError, match="use the run that it was saved from"):
            asked()
    with pytest.raises(ConfigError, match="give one of float32, float16, int8"):
        recommender.save(tmp_path / "x", precision="int4")
    assert not (tmp_path / "x").exists()
    with pytest.raises(ConfigError, match="would lose what it learned"):
        recommender.save(shop_run, precision="int8")


def test_a_run_in_fewer_bits_that_refuses_to_forget_leaves_no_trace_of_trying(
    recommender, tmp_path, caplog
):
    recommender.save(tmp_path / "small", precision="float16")
    for live in (True, False):
        small = Recommender.load(tmp_path / "small", live=live)
        with pytest.raises(ConfigError, match="use the run that it was saved from"):
            small.forget("u1")
        assert "u1" not in small.left_out
        assert small.add_events([{"user": "u1", "item": "i2-1"}]).left_out == 0
        small.close()
    assert not [one for one in place_of(tmp_path / "small").iterdir() if one.suffix == ".json"]
    Recommender.load(tmp_path / "small").close()
    assert "forgetting a person was stopped" not in caplog.text
