"""Events of a run lie in a mapped file: read where they are, and changed for nobody else."""

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from trefoil.data.mapped import mapped
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.runs.catalogue import EVENTS


def test_arrays_are_those_of_the_file_and_writing_stays_in_memory(tmp_path):
    path = tmp_path / "a.safetensors"
    random = np.random.default_rng(0)
    told = {
        "rows": np.arange(7),
        "flags": np.array([True, False, True]),
        "part": np.array([0, 1, 2], np.int8),
        "stars": random.random((2, 3)).astype(np.float32),
        "none": np.zeros(0, np.int64),
        **{kind: np.arange(5).astype(kind) for kind in ("i2", "i4", "u1", "u2", "u4", "u8", "f2")},
    }
    save_file(told, path)
    before = path.read_bytes()
    found = mapped(path)
    assert found.keys() == told.keys()
    for name, one in load_file(path).items():
        assert found[name].dtype == one.dtype
        assert np.array_equal(found[name], one)
    found["rows"][0] = 99
    assert path.read_bytes() == before
    assert mapped(path)["rows"][0] == 0
    path.write_bytes(before[:-9])
    with pytest.raises(ValueError, match=r"reshape|size|element"):
        mapped(path)


def test_histories_of_a_loaded_run_are_its_file(shop_run):
    catalogue = Recommender.load(shop_run).catalogue
    events, past = catalogue.events, catalogue.now.layers[0]
    assert np.shares_memory(past.events.item, events.item)
    assert isinstance(_owner(events.item), np.memmap)
    assert np.array_equal(events.item, load_file(shop_run / EVENTS)["item"])


def _owner(array):
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array
