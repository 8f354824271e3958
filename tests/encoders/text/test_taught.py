"""An encoder taught which items come together: planted sense is found, noise is not."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import sparse

from trefoil.data.errors import ConfigError
from trefoil.encoders.text.adapters import Adapter, Tuner, layers_of
from trefoil.encoders.text.encoder import TextEncoder, Whitening
from trefoil.encoders.text.reader import Reader
from trefoil.encoders.text.sentence_model import inner_of
from trefoil.encoders.text.taught import Lesson, Teaching, teach
from trefoil.encoders.view import View

LESSON = Lesson("linear", 4, 20, 5, 20, 1, 5e-3, 0.3, 0.1, 1.0, 20_000, 16, False, "float32", 0)
ITEMS, GROUPS = 360, 6


def planted(seed=0):
    """Vectors in which the group of an item is a whisper beside what does not matter."""
    random = np.random.default_rng(seed)
    group = np.arange(ITEMS) % GROUPS
    loud = random.normal(size=(ITEMS, 24))
    quiet = np.eye(GROUPS)[group] + 0.5 * random.normal(size=(ITEMS, GROUPS))
    vectors = torch.from_numpy(np.hstack([loud, quiet]).astype(np.float32))
    return View(vectors, torch.ones(ITEMS, dtype=torch.bool)), group


def together_of(group, seed=0, count=2000):
    """Pairs of one group, of the first two thirds of the items alone."""
    random = np.random.default_rng(seed)
    first, second = random.integers(0, ITEMS * 2 // 3, (2, 20 * count))
    kept = np.flatnonzero((group[first] == group[second]) & (first != second))[:count]
    ends = first[kept], second[kept]
    pairs = sparse.csr_matrix((np.ones(len(kept), np.float32), ends), shape=(ITEMS, ITEMS))
    return (pairs + pairs.T).tocsr()


def precision(group):
    """Share of the three nearest of each item no pair spoke of that are of its group."""
    rest = torch.arange(ITEMS * 2 // 3, ITEMS)

    def look(view):
        alike = view.vectors[rest] @ view.vectors.T
        alike[torch.arange(len(rest)), rest] = -1
        near = alike.topk(3, dim=1).indices
        return float(
            (torch.from_numpy(group)[near] == torch.from_numpy(group)[rest, None]).float().mean()
        )

    return look


def test_what_comes_together_is_found_in_items_that_no_pair_spoke_of():
    """Chance is 1/6; shuffled pairs of the same counts stay near what nobody taught."""
    view, group = planted()
    whitening = Whitening.fit(view, 30)
    look = precision(group)
    taught = teach(Teaching(view, whitening, together_of(group), LESSON), look)
    assert taught.marks[0] < 0.6
    assert look(taught.whitening(view)) == max(taught.marks) > taught.marks[0] + 0.2
    mixed = np.random.default_rng(1).permutation(group)
    fooled = teach(Teaching(view, whitening, together_of(mixed), LESSON), look)
    assert look(fooled.whitening(view)) < taught.marks[0] + 0.1


def test_a_sample_of_candidates_teaches_too():
    view, group = planted()
    few = replace(LESSON, candidates=40, batch_size=20)
    taught = teach(
        Teaching(view, Whitening.fit(view, 30), together_of(group), few), precision(group)
    )
    assert max(taught.marks) > taught.marks[0] + 0.2


def test_the_loss_of_a_batch_is_the_cross_entropy_by_hand():
    vectors = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]])
    view = View(vectors, torch.ones(3, dtype=torch.bool))
    pairs = sparse.csr_matrix(np.array([[0, 0, 3], [0, 0, 1], [3, 1, 0]], np.float32))
    lesson = replace(LESSON, temperature=1.0, popularity=1.0)
    teaching = Teaching(view, Whitening(torch.zeros(2), torch.eye(2)), pairs, lesson)
    # Item 0 came with 2 alone: log n is log 1 for item 1 and log 4 for item 2.
    scores = np.array([0.0 + np.log(1), 0.6 + np.log(4)])
    expected = -(scores[1] - np.log(np.exp(scores).sum()))
    assert float(teaching.loss(np.array([0])).detach()) == pytest.approx(expected, abs=1e-5)


def test_items_without_a_text_are_no_partners_of_those_that_have_one():
    """What a batch costs is what it costs where they do not exist, whoever came with them."""
    vectors = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8], [0.0, 0.0]])
    known = torch.tensor([True, True, True, False])
    pairs = np.zeros((4, 4), np.float32)
    pairs[0, 2] = pairs[2, 0] = 3
    pairs[1, 2] = pairs[2, 1] = 1
    told = sparse.csr_matrix(pairs[:3, :3])
    pairs[3, :3] = pairs[:3, 3] = 5
    plain = Whitening(torch.zeros(2), torch.eye(2))
    without = Teaching(View(vectors[:3], known[:3]), plain, told, LESSON)
    beside = Teaching(View(vectors, known), plain, sparse.csr_matrix(pairs), LESSON)
    assert beside.rows.tolist() == without.rows.tolist() == [0, 1, 2]
    rows = np.arange(3)
    assert float(beside.loss(rows).detach()) == pytest.approx(float(without.loss(rows).detach()))


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return TextEncoder(max_tokens=16, cache=tmp_path_factory.mktemp("cache"))


TEXTS = ["a red ball of wool", "a blue ball of glass", "a red cup of glass", "a blue cup of wool"]


@pytest.mark.parametrize("method", ["lora", "adalora", "prefix", "top:1"])
def test_an_adapter_is_small_and_reads_alike_when_it_was_saved(encoder, tmp_path, method):
    pytest.importorskip("peft")
    model = encoder.alone().model
    tuner = Tuner(inner_of(model), method, 4, steps=8)
    reader = Reader(model, tuner, TEXTS, 16, checkpointing=method == "lora")
    rows = np.arange(4)
    before = reader.read(rows).detach()
    assert torch.allclose(before, encoder.encode(TEXTS)[0].vectors, atol=2e-3)
    optimiser = torch.optim.Adam(tuner.parameters(), lr=1e-2)
    for step in range(3):
        vectors = reader.read(rows)
        (vectors[0] @ vectors[1]).backward()
        optimiser.step()
        tuner.stepped(step + 1)
        optimiser.zero_grad()
    adapter = tuner.taken()
    tuner.put(adapter)
    after = reader.read(rows).detach()
    assert not torch.allclose(before, after, atol=2e-3)
    adapter.save(tmp_path / "adapter.safetensors")
    assert (tmp_path / "adapter.safetensors").stat().st_size < 5e6
    again = Adapter.read(tmp_path / "adapter.safetensors")
    assert again.digest == adapter.digest
    read = replace(encoder, adapter=again).encode(TEXTS)[0].vectors
    assert torch.allclose(read, after, atol=2e-3)
    assert replace(encoder, adapter=again).name != encoder.name
    assert torch.equal(
        encoder.encode(TEXTS)[0].vectors,
        TextEncoder(max_tokens=16).encode(TEXTS, store=False)[0].vectors,
    )


def test_only_what_a_method_names_learns(encoder):
    inner = inner_of(encoder.alone().model)
    Tuner(inner, "top:2", 4)
    layers = layers_of(inner)
    assert [next(one.parameters()).requires_grad for one in layers] == [False] * 4 + [True] * 2
    with pytest.raises(ConfigError, match="does not change"):
        Tuner(inner, "linear", 4)
