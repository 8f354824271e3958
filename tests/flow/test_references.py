"""References and what lists are compared with: fitted on training, chosen on validation."""

import numpy as np
import pytest
import torch
from twins import OUTSIDE, RULES, shop_split_by, twin_of

from trefoil.data import Split
from trefoil.data.histories import Cases, Histories
from trefoil.evaluation.protocols.pointwise_exam import RowExam, click_result, ctr_exam
from trefoil.evaluation.protocols.protocols import full_exam
from trefoil.evaluation.references import references
from trefoil.evaluation.result import Result
from trefoil.evaluation.table import Knowledge, Table, compared, with_stars


def described(items: int, seed: int = 0) -> Knowledge:
    """Made-up vectors of text and graph."""
    random = np.random.default_rng(seed)
    return Knowledge(random.normal(size=(items, 6)), (random.random((items, 9)) < 0.3) * 1.0)


@pytest.fixture(params=RULES)
def twins(request, tmp_path):
    dataset, split = shop_split_by(request.param, tmp_path / "data", users=40, events=9)
    return dataset, twin_of(dataset, split), split


def test_references_answer_alike_whatever_happened_in_the_test_part(twins):
    one, other, split = twins
    known = described(len(one.items))
    found, again = (references(dataset, split, known) for dataset in (one, other))
    assert len(found) == 5
    cases = full_exam(one, split, "valid").cases
    for name in found:
        assert torch.equal(found[name].score(cases), again[name].score(cases)), name


def test_references_are_chosen_without_opening_the_test_part(tmp_path, monkeypatch):
    dataset, split = shop_split_by("ratio", tmp_path / "data", users=40, events=9)

    def sealed(_):
        raise AssertionError("the test part was opened")

    monkeypatch.setattr(Split, "open_test", sealed)
    assert references(dataset, split, described(len(dataset.items)))


class Own:
    """Scores that hang on the item alone, in an order of its own."""

    def score(self, cases):
        items = torch.arange(40.0)
        return ((items * 17) % 41).expand(len(cases), -1)


def test_what_lists_are_compared_with_hangs_on_training_alone(twins):
    """The same questions, put to the same model beside data that differ in the test part."""
    one, other, split = twins
    exam = full_exam(one, split, "test")
    known = described(len(one.items))
    table, again = (compared({"own": Own()}, d, split, exam, known) for d in (one, other))
    means, means_again = (each.results["own"].means() for each in (table, again))
    assert {"novelty@10", "arp@10", "gini@10", "serendipity@10"} <= set(means)
    assert means == means_again
    assert table.slices.keys() == again.slices.keys()
    for name, (_, results) in table.slices.items():
        assert results["own"].means() == again.slices[name][1]["own"].means(), name


def test_biases_know_no_stars_of_the_test_part(twins):
    """Nobody gave more than five stars in training, so means and both offsets stay below 13."""
    _, other, split = twins
    found = with_stars(Table({"own": Result("own", {}, 0.0)}), {}, other, split)
    assert found.results["biases"].overall["rmse"] > OUTSIDE - 13


LABEL = (np.arange(20) % 2).astype(np.float32)


class Lower:
    """Ten times the label, and a hundred less for everyone but the first user."""

    def score(self, cases):
        told = 10 * torch.from_numpy(LABEL).expand(len(cases), -1)
        return told - 100.0 * torch.from_numpy(cases.user != 0)[:, None]


def pairs_of(user: int, part: str) -> RowExam:
    """One user is asked about twenty items, of which every other is a positive."""
    none = Histories(np.zeros(2, np.int64), np.zeros(0, np.int64))
    case = Cases(np.array([user]), none)
    return RowExam(case, np.zeros(20, np.int64), np.arange(20), LABEL, 20, part)


def test_threshold_and_calibration_are_those_of_validation():
    """Of scores far below all of validation none is called, and no positive is expected."""
    values = click_result("lower", Lower(), pairs_of(0, "valid"), pairs_of(1, "test")).values
    assert values["auc"] == 1.0
    assert values["f1"] == 0.0
    assert values["log-loss"] > np.log(2)
    assert values["calibration-error"] > 0.4  # half are positives


def test_the_threshold_of_clicks_hangs_on_validation_alone(tmp_path):
    dataset, split = shop_split_by("time", tmp_path / "data", users=40, events=9)
    valid = ctr_exam(dataset, split, "valid")
    tests = [ctr_exam(one, split, "test") for one in (dataset, twin_of(dataset, split))]
    found = [click_result("own", Own(), valid, test) for test in tests]
    assert found[0].threshold == found[1].threshold
    assert found[0].values["auc"] != found[1].values["auc"]
