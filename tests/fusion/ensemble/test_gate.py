"""The gate: weight for what tells, none for noise, and cold items lifted at a bounded price."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from small_cases import cases

from trefoil.data.domains import DOMAIN
from trefoil.fusion.ensemble.gate import Gate, standardise
from trefoil.fusion.ensemble.gate_ascents import ascend, bagged
from trefoil.fusion.ensemble.gate_fit import _lift_cold, fit_gate
from trefoil.fusion.features.validation import Validation

CASES, ITEMS, COLD = 150, 60, 12


def validation(relevant, *, cold=0, masked=None):
    seen = torch.ones(relevant.shape[1], dtype=torch.bool)
    if cold:
        seen[-cold:] = False
    masked = torch.zeros_like(relevant) if masked is None else masked
    return Validation(cases(*[[0]] * len(relevant)), masked, relevant, seen)


def wanted_items(generator, *, items=ITEMS, count=2):
    """A random set of wanted items per case."""
    place = torch.rand(CASES, items, generator=generator).topk(count, dim=1).indices
    return torch.zeros(CASES, items, dtype=torch.bool).scatter(1, place, True)


def base_model(generator, relevant, signal):
    return torch.randn(relevant.shape, generator=generator) + signal * relevant


def fitted(scores, exam):
    names = tuple(scores)
    return fit_gate(names, standardise(scores, names, exam.seen), exam)


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


def test_ndcg_by_hand():
    relevant = torch.tensor([[True, False, True, False]])
    masked = torch.tensor([[False, True, False, False]])
    exam = validation(relevant, masked=masked)
    # Item 1 is masked, so the order is 3, 0, 2: hits at places 2 and 3 of an ideal 1 and 2.
    found = exam.ndcg(torch.tensor([[2.0, 9.0, 1.0, 3.0]]))
    gain = [1 / np.log2(place + 1) for place in (1, 2, 3)]
    assert found == pytest.approx((gain[1] + gain[2]) / (gain[0] + gain[1]))


def test_each_domain_weighs_what_tells_there(generator):
    count = 400
    relevant = torch.zeros(count, ITEMS, dtype=torch.bool)
    relevant.scatter_(1, torch.rand(count, ITEMS, generator=generator).topk(2).indices, True)
    asked = np.arange(count) % 2
    first = torch.from_numpy(asked == 0)[:, None]
    scores = {
        "first": base_model(generator, relevant & first, 2.0),
        "second": base_model(generator, relevant & ~first, 2.0),
    }
    told = validation(relevant)
    exam = replace(told, cases=replace(told.cases, scenario={DOMAIN: asked}))
    gate, marks = fitted(scores, exam)
    (good, bad), (worse, better) = gate.within
    assert good > 2 * bad
    assert better > 2 * worse
    assert marks["by domain"] > marks["chosen"] + 0.05
    assert exam.ndcg(gate.blend(scores, exam.seen, asked)) == marks["by domain"]
    of_none = gate.blend(scores, exam.seen, np.full(count, -1))
    assert torch.equal(of_none, gate.blend(scores, exam.seen))
    few = exam.take(torch.arange(300))  # 150 of each: too few
    gate, marks = fitted({name: one[:300] for name, one in scores.items()}, few)
    assert gate.within == ()
    assert "by domain" not in marks


def test_a_model_that_tells_gets_the_weight_and_noise_gets_none(generator):
    relevant = wanted_items(generator)
    scores = {
        "noise": base_model(generator, relevant, 0.0),
        "tells": base_model(generator, relevant, 2.5),
        "more-noise": base_model(generator, relevant, 0.0),
    }
    gate, marks = fitted(scores, validation(relevant))
    weight = dict(zip(gate.base_models, gate.warm, strict=True))
    assert weight["tells"] > 0.5
    assert abs(weight["noise"]) < 0.15 * weight["tells"]
    assert abs(weight["more-noise"]) < 0.15 * weight["tells"]
    assert marks["chosen"] > 0.5


def test_two_independent_views_are_better_than_each(generator):
    relevant = wanted_items(generator)
    exam = validation(relevant)
    scores = {name: base_model(generator, relevant, 1.5) for name in ("one", "other")}
    _, marks = fitted(scores, exam)
    assert marks["chosen"] > max(map(exam.ndcg, scores.values())) + 0.05


@pytest.mark.parametrize("seed", range(8))
def test_the_gate_is_never_worse_than_its_best_model_on_validation(seed):
    """Base models of all strengths, one of them right in most cases and far off in the others."""
    generator = torch.Generator().manual_seed(seed)
    relevant = wanted_items(generator)
    odd = torch.rand(CASES, ITEMS, generator=generator) ** 2 + relevant
    odd[: CASES // 4] = torch.where(relevant, -9.0, odd)[: CASES // 4]
    strengths = torch.rand(4, generator=generator) * 3 - 1
    scores = {
        f"model-{k}": base_model(generator, relevant, float(s)) for k, s in enumerate(strengths)
    }
    scores["odd"] = odd
    exam = validation(relevant)
    gate, marks = fitted(scores, exam)
    best = max(map(exam.ndcg, scores.values()))
    assert marks["chosen"] >= best - 1e-6
    assert exam.ndcg(gate.blend(scores, exam.seen)) == pytest.approx(marks["chosen"])


@pytest.mark.parametrize("seed", range(4))
def test_cold_items_do_not_hide_that_one_model_is_best_alone(seed):
    """Habits know what is wanted, but another item of most cases by far better."""
    generator = torch.Generator().manual_seed(seed)
    relevant = wanted_items(generator, items=ITEMS - COLD, count=1)
    relevant = torch.cat([relevant, torch.zeros(CASES, COLD, dtype=torch.bool)], 1)
    relevant[:50, -1] = True
    habits = 1e3 * relevant + torch.rand(relevant.shape, generator=generator)
    other = torch.randint(0, ITEMS - COLD, (CASES,), generator=generator)
    habits[torch.arange(CASES), other] += 1e6
    habits[:, -COLD:] = 0
    exam = validation(relevant, cold=COLD)
    weak = {name: base_model(generator, relevant, 0.8) for name in ("one", "other")}
    _, marks = fitted(weak | {"habits": habits}, exam)
    assert marks["chosen"] > 0.97 * exam.ndcg(habits)


@pytest.mark.parametrize("cold", [0, COLD])
def test_the_scale_and_level_of_a_model_do_not_matter(generator, cold):
    relevant = wanted_items(generator)
    exam = validation(relevant, cold=cold)
    scores = {
        "one": base_model(generator, relevant, 2.0),
        "other": base_model(generator, relevant, 1.0),
    }
    scaled = {"one": 300 * scores["one"] - 7, "other": 0.01 * scores["other"] + 0.5}
    plain, turned = fitted(scores, exam)[0], fitted(scaled, exam)[0]
    assert plain.warm == pytest.approx(turned.warm, rel=0.02, abs=0.02)
    assert torch.allclose(plain.blend(scores, exam.seen), plain.blend(scaled, exam.seen), atol=1e-3)


def test_a_model_that_is_silent_changes_nothing(generator):
    relevant = wanted_items(generator)
    exam = validation(relevant)
    scores = {"tells": base_model(generator, relevant, 2.0)}
    both = scores | {"silent": torch.full(relevant.shape, 3.0)}
    gate, _ = fitted(both, exam)
    order = gate.blend(both, exam.seen).argsort(1)
    assert torch.equal(order, scores["tells"].argsort(1))


def events_and_content(generator, relevant):
    """Events tell of warm items and nothing of cold ones; content tells a little of all."""
    events = base_model(generator, relevant, 3.0)
    events[:, -COLD:] = 0.0
    return {"events": events, "content": base_model(generator, relevant, 2.0)}


def test_cold_items_are_judged_by_the_model_that_knows_them(generator):
    relevant = wanted_items(generator, count=3)
    gate, _ = fitted(events_and_content(generator, relevant), validation(relevant, cold=COLD))
    cold = dict(zip(gate.base_models, gate.cold, strict=True))
    warm = dict(zip(gate.base_models, gate.warm, strict=True))
    assert cold["content"] > 0.5
    assert abs(cold["events"]) < 0.5 * cold["content"]  # its start value, for want of evidence
    assert warm["events"] > warm["content"]


@pytest.mark.parametrize("asked", [True, False], ids=["cold wanted", "cold never wanted"])
@pytest.mark.parametrize("seed", range(4))
def test_lifting_cold_items_costs_little_and_more_only_where_they_are_wanted(seed, asked):
    generator = torch.Generator().manual_seed(seed)
    relevant = wanted_items(generator)
    if not asked:
        relevant[:, -COLD:] = False
        relevant[:, 0] |= ~relevant.any(1)
    exam = validation(relevant, cold=COLD)
    scores = events_and_content(generator, relevant)
    gate, marks = fitted(scores, exam)
    best = max(marks["logit"], marks["ascents"])
    share = float(relevant[:, -COLD:].sum() / relevant.sum())
    assert marks["chosen"] >= best * (1 - 0.1 * share)
    assert bool(share) == asked
    assert exam.ndcg(gate.blend(scores, exam.seen)) == pytest.approx(marks["chosen"])


def test_cold_items_that_are_hidden_come_up_when_they_are_wanted():
    relevant = torch.zeros(CASES, ITEMS, dtype=torch.bool)
    relevant[::2, 0] = relevant[1::2, -1] = True  # every other one wants the same new item
    exam = validation(relevant, cold=COLD)
    scores = {"content": relevant.float()}
    z, seen = standardise(scores, ["content"], exam.seen), exam.seen.expand_as(relevant)
    hidden = Gate(("content",), (1.0,), (1.0,), offset=-6.0)
    found, mark = _lift_cold(z, exam, seen, hidden)
    assert exam.ndcg(hidden.mix(z, seen)) < 0.6
    assert mark > 0.95
    assert found.offset > hidden.offset


def test_cold_items_that_are_all_alike_are_not_lifted_over_what_is_wanted(generator):
    warm, cold = 60, 240
    relevant = torch.zeros(CASES, warm + cold, dtype=torch.bool)
    relevant[:, :warm] = wanted_items(generator, items=warm, count=1)
    some = torch.arange(0, CASES, 2)  # want something of which nothing is known
    relevant[some] = False
    relevant[some, warm + some] = True
    exam = validation(relevant, cold=cold)
    scores = {"events": base_model(generator, relevant, 1.0)}
    scores["events"][:, warm:] = 0.0
    gate, marks = fit_gate(["events"], standardise(scores, ["events"], exam.seen), exam)
    lot = 1e-6 * torch.rand(warm + cold, generator=generator)
    mark = exam.ndcg(gate.blend(scores, exam.seen) + lot)
    hidden = exam.ndcg(replace(gate, offset=-1e4).blend(scores, exam.seen) + lot)
    assert mark >= 0.95 * hidden
    assert mark == pytest.approx(marks["chosen"], abs=0.01)


def test_ascents_keep_the_size_of_the_weights(generator):
    relevant = wanted_items(generator)
    exam = validation(relevant)
    scores = {name: base_model(generator, relevant, 1.5) for name in ("one", "other")}
    z = standardise(scores, list(scores), exam.seen)
    start = Gate(("one", "other"), (1.4, 0.1), (1.0, 1.0))
    found = bagged(z, exam.seen.expand_as(relevant), exam, start)
    assert sum(map(abs, found.warm)) == pytest.approx(1.5)
    assert found.warm[1] > 0.3  # as telling as the first
    assert found.cold == start.cold


def test_the_mean_of_ascents_does_better_on_new_cases_than_one_ascent():
    """One ascent fits its cases; what it learned of chance is lost on others."""
    strengths = (1.0, 0.9, 0.8, 0.8, 0.7, 0.6, 0.5, 0.5)
    gains = []
    for seed in range(8):
        generator = torch.Generator().manual_seed(seed)
        relevant, fresh = wanted_items(generator), wanted_items(generator)
        scores, new = (
            {f"model-{k}": base_model(generator, one, s) for k, s in enumerate(strengths)}
            for one in (relevant, fresh)
        )
        exam, later = validation(relevant), validation(fresh)
        z, seen = standardise(scores, list(scores), exam.seen), exam.seen.expand_as(relevant)
        start = Gate(tuple(scores), (0.3,) * len(scores), (1.0,) * len(scores), 0.0)
        once = replace(start, warm=tuple(ascend(z, seen, exam, start).tolist()))
        mean = bagged(z, seen, exam, start)
        gains.append(
            later.ndcg(mean.blend(new, later.seen)) - later.ndcg(once.blend(new, later.seen))
        )
    assert sum(gain > 0 for gain in gains) >= 6  # one ascent on half the cases: 4


def test_a_few_cases_do_not_decide_the_gate(generator):
    """Gates fitted on two halves of the cases agree: the mean of ascents moves little."""
    relevant = wanted_items(generator)
    scores = {f"model-{k}": base_model(generator, relevant, 1.0 + k / 4) for k in range(5)}
    whole = validation(relevant)
    order = torch.randperm(CASES, generator=generator)
    halves = [
        fitted({name: part[rows] for name, part in scores.items()}, whole.take(rows))[0]
        for rows in order.chunk(2)
    ]
    one, other = (gate.blend(scores, whole.seen) for gate in halves)
    assert whole.ndcg(one) == pytest.approx(whole.ndcg(other), abs=0.02)


def test_cold_items_do_not_speak_in_the_weights_of_warm_ones(generator):
    relevant = wanted_items(generator, count=3)
    scores = events_and_content(generator, relevant)
    loud = {name: part.clone() for name, part in scores.items()}
    loud["content"][:, -COLD:] = 50 * torch.rand(CASES, COLD, generator=generator)
    exam = validation(relevant, cold=COLD)
    assert fitted(scores, exam)[0].warm == pytest.approx(fitted(loud, exam)[0].warm, abs=0.2)


def test_warm_and_cold_items_are_standardised_apart():
    seen = torch.tensor([True, True, True, False, False])
    scores = {"a": torch.tensor([[1.0, 2.0, 3.0, 100.0, 102.0], [5.0, 5.0, 5.0, 1.0, 1.0]])}
    z = standardise(scores, ["a"], seen)[0]
    high = 1.5**0.5
    assert torch.allclose(z[0], torch.tensor([-high, 0.0, high, -1.0, 1.0]), atol=1e-6)
    assert not z[1].any()
    assert scores["a"][0, 3] == 100.0


def test_blending_by_hand():
    seen = torch.tensor([True, True, False, False])
    scores = {"a": torch.tensor([[0.0, 2.0, 0.0, 2.0]]), "b": torch.tensor([[2.0, 0.0, 0.0, 4.0]])}
    gate = Gate(("a", "b"), warm=(3.0, 1.0), cold=(0.5, 0.25), offset=-1.0)
    assert torch.allclose(gate.blend(scores, seen), torch.tensor([[-2.0, 2.0, -1.75, -0.25]]))


def test_masked_items_teach_nothing(generator):
    """A base model that shouts about masked items is trusted on the others as much as before."""
    relevant = wanted_items(generator)
    masked = (torch.rand(CASES, ITEMS, generator=generator) < 0.2) & ~relevant
    exam = validation(relevant, masked=masked)
    tells, noise = base_model(generator, relevant, 2.5), base_model(generator, relevant, 0.0)
    _, clean = fitted({"tells": tells, "noise": noise}, exam)
    _, loud = fitted({"tells": tells + 20.0 * masked, "noise": noise}, exam)
    assert loud["logit"] == pytest.approx(clean["logit"], abs=0.03)


def test_a_case_whose_cold_items_are_all_masked_does_not_lift_them(generator):
    """One of sixty has met the one cold item: the others' lists stay as they would be."""
    relevant = wanted_items(generator, items=ITEMS - 1)
    relevant = torch.cat([relevant, torch.zeros(CASES, 1, dtype=torch.bool)], 1)
    masked = torch.zeros_like(relevant)
    masked[3, -1] = True
    scores = {"tells": base_model(generator, relevant, 2.0)}
    met, _ = fitted(scores, validation(relevant, cold=1, masked=masked))
    free, _ = fitted(scores, validation(relevant, cold=1))
    assert met.offset == pytest.approx(free.offset, abs=0.5)
