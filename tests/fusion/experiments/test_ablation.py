"""Variants of an ablation: what is left out is out, what is dealt goes to other items."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trefoil.data.errors import ConfigError
from trefoil.data.files import write_file
from trefoil.data.manifest import MANIFEST
from trefoil.fusion.experiments.ablation import MODELS, PARTS, SHUFFLED, ablated, variants
from trefoil.fusion.features.preparation import split_of
from trefoil.fusion.features.shuffling import permuted
from trefoil.fusion.models.listed import lines
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.runs.folder import check_manifest, refresh, write_manifest
from trefoil.fusion.settings import Settings, load_settings


def test_whatever_switches_a_base_model_off_is_a_part():
    assert set(MODELS) == {line.switch for line in lines() if line.switch}


@given(st.lists(st.booleans(), max_size=30), st.integers(0, 5))
def test_what_is_known_moves_to_another_item_and_the_rest_stays(known, seed):
    known = np.array(known, bool)
    rows = permuted(known, seed)
    assert sorted(rows) == list(range(len(known)))
    assert (rows[~known] == np.flatnonzero(~known)).all()
    assert (known[rows] == known).all()
    if known.sum() > 1:
        assert (rows[known] != np.flatnonzero(known)).all()
    assert (rows == permuted(known, seed)).all()


@pytest.mark.parametrize("part", PARTS)
def test_every_part_changes_the_settings_and_nothing_else(part):
    whole = Settings(nearest_texts=True)  # the one that is off unless asked for
    before, after = whole.model_dump(), ablated(whole, part).model_dump()
    changed = [name for name in before if before[name] != after[name]]
    assert len(changed) == 1


def test_text_and_graph_bring_their_shuffled_variant():
    assert variants(["graph", "linear"]) == {
        "without graph": "graph",
        "shuffled graph": "graph-shuffled",
        "without linear": "linear",
    }
    assert variants(["text-shuffled"]) == {"shuffled text": "text-shuffled"}
    assert variants([]) == {}
    for part in set(PARTS) - set(SHUFFLED):
        assert f"without {part}" in variants([part])
    assert variants(["stars", "walks"]) == {  # names of 0.1.0
        "without rating": "rating",
        "without random_walks": "random_walks",
    }
    with pytest.raises(ConfigError, match="did you mean 'text'"):
        variants(["texts"])


def test_shuffled_facts_and_texts_are_the_same_ones_at_other_items(shop):
    tiny = ["threads=1", "text.model=ngrams", "text.dimensions=6", "network.on=false"]
    plain = Recommender(load_settings(None, tiny)).fit(shop).model.known
    changes = [*tiny, "graph.shuffle=true", "text.shuffle=true"]
    other = Recommender(load_settings(None, changes)).fit(shop).model.known
    assert plain.facts is not None
    assert other.facts is not None
    assert plain.text is not None
    assert other.text is not None
    rows = permuted(np.diff(plain.facts.matrix.indptr) > 0, 0)
    assert (other.facts.matrix != plain.facts.matrix[rows]).nnz == 0
    assert (other.facts.matrix != plain.facts.matrix).nnz > 0
    before, after = plain.text.vectors.numpy(), other.text.vectors.numpy()
    assert not np.allclose(before, after)
    prices = plain.numbers["price"]
    np.testing.assert_array_equal(other.numbers["price"], prices[permuted(prices >= 0, 0)])
    rows = permuted(plain.text.known.numpy(), 0)
    np.testing.assert_allclose(after, before[rows], atol=1e-4)


def test_the_split_rule_among_the_settings_replaces_that_of_the_data(shop):
    own = split_of(shop, Settings())
    assert own.rule == shop.rule
    last = split_of(shop, load_settings(None, ["split.by=leave-one-out"]))
    assert last.rule.by == "leave-one-out"
    assert len(last.open_test()) == 60  # one per user
    half = split_of(shop, load_settings(None, ["split.by=rows", "split.test=0.5"]))
    assert len(half.open_test()) == len(shop.interactions) // 2
    with pytest.raises(ConfigError, match="leave something for training"):
        split_of(shop, load_settings(None, ["split.test=0.95"]))


def test_files_of_a_run_are_replaced_with_their_digests(tmp_path):
    write_file(tmp_path / "model", "weights")
    write_file(tmp_path / "report.html", "old")
    write_manifest(tmp_path, {"seed": 3})
    refresh(tmp_path, {"report.html": "new", "more.json": "{}"})
    manifest = check_manifest(tmp_path)
    assert set(manifest["files"]) == {"model", "report.html", "more.json"}
    assert manifest["seed"] == 3
    assert (tmp_path / "report.html").read_text("utf-8") == "new"


def test_a_stop_between_two_steps_leaves_a_run_that_is_accepted(tmp_path, monkeypatch):
    write_file(tmp_path / "model", "weights")
    write_file(tmp_path / "report.html", "old")
    write_manifest(tmp_path, {})
    writes = []

    def stopping(path, content):
        if len(writes) == stop:
            raise KeyboardInterrupt
        writes.append(path.name)
        write_file(path, content)

    for writer in ("trefoil.fusion.runs.folder.write_file", "trefoil.data.manifest.write_file"):
        monkeypatch.setattr(writer, stopping)
    for stop in range(3):
        writes.clear()
        with pytest.raises(KeyboardInterrupt):
            refresh(tmp_path, {"report.html": f"new {stop}"})
        assert check_manifest(tmp_path)["files"]["model"]
    writes.clear()
    stop = 9
    refresh(tmp_path, {"report.html": "done"})
    assert writes == [MANIFEST, "report.html", MANIFEST]
    assert "report.html" in check_manifest(tmp_path)["files"]
