"""Who is asked what: masks, histories, cold parts, contexts, and nothing that leaks."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from planted_events import dataset_of, planted

from trefoil.data import Cases, Categorical, Interactions, SplitRule, split_events
from trefoil.data.errors import SplitError
from trefoil.evaluation.baselines import Linear, Popularity
from trefoil.evaluation.metrics.ranking_metrics import measure
from trefoil.evaluation.protocols.pointwise_exam import (
    click_result,
    ctr_exam,
    row_scores,
    stars_exam,
    stars_result,
)
from trefoil.evaluation.protocols.protocols import (
    cold_exam,
    context_exam,
    full_exam,
    hidden_rule,
    next_exam,
    only_cases,
    scenario_exams,
)
from trefoil.evaluation.ranking import rank
from trefoil.evaluation.result import examine


def pairs_of(sets, user) -> set[tuple[int, int]]:
    case = np.repeat(np.arange(len(sets)), np.diff(sets.start))
    return set(zip(user[case].tolist(), sets.item.tolist(), strict=True))


def event_pairs(dataset, rows) -> set[tuple[int, int]]:
    events = dataset.interactions.take(rows)
    return set(zip(events.user.tolist(), events.item.tolist(), strict=True))


RULES = ["ratio", "time", "leave-one-out"]


@pytest.mark.parametrize("by", RULES)
@pytest.mark.parametrize("part", ["valid", "test"])
def test_masks_are_earlier_events_and_wanted_are_the_new_held_out_ones(by, part):
    dataset = planted(rule=SplitRule(by))
    split = split_events(dataset, 0)
    exam = full_exam(dataset, split, part)
    earlier = event_pairs(dataset, split.train)
    if part == "test":
        earlier |= event_pairs(dataset, split.valid)
    held = event_pairs(dataset, split.valid if part == "valid" else split.open_test())
    asked = set(exam.cases.user.tolist())
    assert pairs_of(exam.relevant, exam.cases.user) == held - earlier
    assert pairs_of(exam.masked, exam.cases.user) == {p for p in earlier if p[0] in asked}


@pytest.mark.parametrize(
    ("by", "grows"), [("ratio", False), ("time", True), ("leave-one-out", True)]
)
def test_test_histories_hold_validation_events_only_where_they_came_before(by, grows):
    dataset = planted(rule=SplitRule(by))
    split = split_events(dataset, 0)
    exam = full_exam(dataset, split, "test")
    held = {p for p in event_pairs(dataset, split.valid) if p[0] in set(exam.cases.user.tolist())}
    history = exam.cases.history
    read = set(
        zip(
            np.repeat(exam.cases.user, history.lengths).tolist(),
            history.item.tolist(),
            strict=True,
        )
    )
    assert (held <= read) is grows
    assert not read & event_pairs(dataset, split.open_test())


@pytest.mark.parametrize("carved", [True, False], ids=["carved from training", "given"])
def test_validation_carved_from_given_training_is_history_at_the_test(carved):
    part = np.array([0] * 10 + [2] + ([0] if carved else [1]), np.int8)
    log = Interactions(np.zeros(12, np.int64), np.arange(12), np.ones(12, bool), part=part)
    dataset = dataset_of(log, 1, 12, SplitRule("given"))
    split = split_events(dataset, 0)
    assert len(split.valid) == 1
    asked = full_exam(dataset, split, "test")
    read = set(asked.cases.history.item.tolist())
    held = set(split.valid.tolist())
    assert read == set(split.train.tolist()) | (held if carved else set())
    assert held <= set(asked.masked.item.tolist())
    assert held.isdisjoint(full_exam(dataset, split, "valid").cases.history.item.tolist())


def test_events_that_are_no_positives_are_masked_but_never_wanted_or_read():
    dataset = planted()
    log = dataset.interactions
    events = Interactions(log.user, log.item, log.item % 4 != 0, at=log.at, stars=log.stars)
    dataset = dataset_of(events, 200, 60, SplitRule("time"))
    split = split_events(dataset, 0)
    exam = full_exam(dataset, split, "test")
    assert (exam.relevant.item % 4 != 0).all()
    assert (exam.cases.history.item % 4 != 0).all()
    assert (exam.masked.item % 4 == 0).any()


def test_a_misspelt_part_is_refused():
    dataset = planted()
    with pytest.raises(ValueError, match="tset"):
        full_exam(dataset, split_events(dataset, 0), "tset")


def test_next_asks_for_the_earliest_held_out_event_alone():
    dataset = planted(rule=SplitRule("time"))
    split = split_events(dataset, 0)
    exam = next_exam(dataset, split, "test")
    held = dataset.interactions.take(split.open_test())
    assert (np.diff(exam.relevant.start) == 1).all()
    for user, item, at in zip(exam.cases.user, exam.relevant.item, exam.cases.at, strict=True):
        own = held.user == user
        assert at == held.at[own].min()
        assert item in held.item[own & (held.at == at)]


def test_next_needs_times():
    log = planted().interactions
    dataset = dataset_of(Interactions(log.user, log.item, log.positive), 200, 60, SplitRule())
    with pytest.raises(SplitError, match="next"):
        next_exam(dataset, split_events(dataset, 0), "test")


def test_scenario_exams_divide_what_is_wanted():
    dataset = planted()
    split = split_events(dataset, 0)
    exams = scenario_exams(dataset, split, "test")
    whole = full_exam(dataset, split, "test")
    assert set(exams) == {"device=phone", "device=sofa"}
    parts = [pairs_of(exam.relevant, exam.cases.user) for exam in exams.values()]
    assert parts[0] | parts[1] == pairs_of(whole.relevant, whole.cases.user)
    assert not parts[0] & parts[1]
    assert (exams["device=sofa"].cases.scenario["device"] == 1).all()


def contexts() -> tuple:
    """One user, three items; item 0 was met in context 0 in training."""
    log = Interactions(
        np.zeros(5, np.int64),
        np.array([0, 1, 2, 0, 0]),
        np.ones(5, bool),
        scenario={"c": Categorical(np.array([0, 1, 0, 1, 0]), ("a", "b"))},
        part=np.array([0, 0, 1, 2, 2], np.int8),
    )
    dataset = dataset_of(log, 1, 3, SplitRule("given", repeats=True))
    return dataset, split_events(dataset, 0)


def test_where_the_rule_keeps_repeats_a_context_masks_nothing():
    dataset, split = contexts()
    exam = context_exam(dataset, split, "test")
    assert (exam.relevant.item.tolist(), exam.masked.item.tolist()) == ([0, 0], [])
    assert hidden_rule(dataset, split) == "show"


def test_rows_of_a_context_mask_what_was_met_in_the_same_context_only():
    dataset, split = contexts()
    exam = context_exam(dataset, replace(split, rule=SplitRule("rows")), "test")
    # (item 0, context b) is asked although item 0 was met in a; (item 0, a) is not
    assert exam.relevant.item.tolist() == [0]
    assert exam.cases.scenario["c"].tolist() == [1]
    assert exam.masked.item.tolist() == [1]


def test_cold_exams_ask_only_about_what_has_no_training_event():
    dataset = planted(users=100, items=300, events=8, rule=SplitRule("time"))
    split = split_events(dataset, 0)
    train = dataset.interactions.take(split.train)
    cold_items = np.setdiff1d(np.arange(300), train.item)
    exam = cold_exam(dataset, split, "test", "items")
    assert set(exam.relevant.item) <= set(cold_items)
    assert np.flatnonzero(exam.candidates).tolist() == cold_items.tolist()
    assert len(exam)
    users = cold_exam(dataset, split, "test", "users")
    assert not np.isin(users.cases.user, train.user).any()
    with pytest.raises(ValueError, match="both"):
        cold_exam(dataset, split, "test", "things")


class Random:
    """Noise of its own for every case."""

    def __init__(self, items: int) -> None:
        self.items = items
        self.generator = torch.Generator().manual_seed(0)

    def score(self, cases: Cases) -> torch.Tensor:
        return torch.rand(len(cases), self.items, generator=self.generator)


def test_a_random_scorer_stands_at_chance():
    dataset = planted(users=600)
    exam = full_exam(dataset, split_events(dataset, 0), "test")
    ranks = rank(Random(60), exam)
    values = measure(ranks, ["recall@10", "auc"])
    chance = np.mean(10 / ranks.candidates)
    error = np.sqrt(chance * (1 - chance) / len(ranks.place))
    assert abs(values["recall@10"].mean() - chance) < 4 * error
    assert abs(values["auc"].mean() - 0.5) < 4 * np.sqrt(1 / 12 / len(ranks.place))


def leak_found(dataset, split, train) -> bool:
    """The canary: does a linear model see noise?

    Where events are pure noise nothing honest can beat chance by four standard
    errors; a model that was given the test events does.
    """
    exam = full_exam(dataset, split, "test")
    ranks = rank(Linear.fit(train, len(dataset.users), exam.items, regularisation=1.0), exam)
    value = measure(ranks, ["auc"])["auc"]
    return bool(value.mean() - 0.5 > 4 * value.std() / np.sqrt(len(value)))


def test_canary_test_events_in_the_training_part_are_detected_and_clean_ones_are_not():
    dataset = planted(users=300, signal=0.0, seed=5)
    split = split_events(dataset, 0)
    clean = dataset.interactions.take(split.train)
    dirty = dataset.interactions.take(np.concatenate([split.train, split.open_test()]))
    assert not leak_found(dataset, split, clean)
    assert leak_found(dataset, split, dirty)


def test_canary_who_repeats_the_history_is_never_right():
    dataset = planted(users=300, signal=0.0, seed=6)
    split = split_events(dataset, 0)
    exam = full_exam(dataset, split, "test")

    class Peeking:
        def score(self, cases: Cases) -> torch.Tensor:
            return torch.from_numpy(cases.history.matrix(60).toarray())

    values = examine("peeking", Peeking(), exam, ["hit@1"]).means()
    assert values["hit@1"] < 0.1  # chance is about 1/50; nothing of the history is asked for


def test_given_negatives_judge_all_rows_as_one_list():
    log = planted().interactions
    events = Interactions(
        log.user, log.item, log.item % 3 == 0, part=(log.item % 5 % 3).astype("i1")
    )
    dataset = dataset_of(events, 200, 60, SplitRule("given"))
    split = split_events(dataset, 0)
    valid, test = (ctr_exam(dataset, split, part) for part in ("valid", "test"))
    assert 0 < test.label.sum() < len(test)

    class Knowing:
        def score(self, cases: Cases) -> torch.Tensor:
            return (torch.arange(60) % 3 == 0).float().expand(len(cases), -1)

    found = click_result("knowing", Knowing(), valid, test)
    assert found.values["auc"] == 1.0
    assert found.values["f1"] == 1.0
    assert found.values["calibration-error"] < 0.1
    clean = planted()
    parts = split_events(clean, 0)
    with pytest.raises(ValueError, match="uniform"):
        ctr_exam(clean, parts, "test")


def test_a_pair_is_judged_in_its_context():
    """The same pair is right at home and wrong away; who reads the context tells them apart."""
    user, item = np.repeat(np.arange(60), 12), np.tile(np.arange(12), 60)
    place = (user + item) % 2
    events = Interactions(
        user,
        item,
        place == item % 2,
        part=(np.arange(720) // 7 % 3).astype("i1"),
        scenario={"place": Categorical(place, ("home", "away"))},
    )
    dataset = dataset_of(events, 60, 12, SplitRule("given"))
    split = split_events(dataset, 0)
    valid, test = (ctr_exam(dataset, split, part) for part in ("valid", "test"))
    rows = split.open_test()
    assert np.array_equal(test.cases.user[test.case], user[rows])
    assert np.array_equal(test.cases.scenario["place"][test.case], place[rows])

    class Reading:
        def score(self, cases: Cases) -> torch.Tensor:
            even = torch.arange(12) % 2
            return (even == torch.from_numpy(cases.scenario["place"])[:, None]).float()

    assert click_result("reading", Reading(), valid, test).values["auc"] == 1.0
    drawn = ctr_exam(dataset, split, "test", negatives="uniform")
    positive = drawn.label == 1
    places = drawn.cases.scenario["place"][drawn.case]
    assert set(zip(drawn.cases.user[drawn.case], places, strict=True)) == set(
        zip(drawn.cases.user[drawn.case[positive]], places[positive], strict=True)
    )


def test_popularity_is_worth_nothing_against_popularity_matched_negatives():
    random = np.random.default_rng(0)
    weight = 1 / np.arange(1, 401)
    user = np.repeat(np.arange(800), 10)
    item = random.choice(400, 8000, p=weight / weight.sum())
    keep = np.sort(np.unique(user * 400 + item, return_index=True)[1])
    log = Interactions(user[keep], item[keep], np.ones(len(keep), bool))
    dataset = dataset_of(log, 800, 400, SplitRule("ratio"))
    split = split_events(dataset, 0)
    popular = Popularity.fit(dataset.interactions.take(split.train), 800, 400)
    found = {}
    for negatives in ("uniform", "popular"):
        exams = [ctr_exam(dataset, split, p, negatives=negatives) for p in ("valid", "test")]
        found[negatives] = click_result("popularity", popular, *exams).values["auc"]
    assert found["uniform"] > 0.75
    assert found["popular"] < 0.62  # not .5: whoever likes the head cannot be given it again


def test_drawn_negatives_are_unmet():
    dataset = planted(rule=SplitRule("ratio"))
    split = split_events(dataset, 0)
    exam = ctr_exam(dataset, split, "valid", negatives="uniform")
    drawn = exam.label == 0
    pairs = set(
        zip(exam.cases.user[exam.case[drawn]].tolist(), exam.item[drawn].tolist(), strict=True)
    )
    assert pairs
    assert not pairs & (event_pairs(dataset, split.train) | event_pairs(dataset, split.valid))


@pytest.mark.parametrize("negatives", ["uniform", "popular"])
def test_negatives_of_validation_do_not_depend_on_the_test_part(negatives):
    log = planted().interactions
    part = np.random.default_rng(0).choice(3, len(log), p=[0.6, 0.2, 0.2]).astype(np.int8)
    drawn = []
    for shift in (0, 1):
        item = np.where(part == 2, (log.item + shift) % 60, log.item)
        events = Interactions(log.user, item, log.positive, part=part)
        dataset = dataset_of(events, 200, 60, SplitRule("given", repeats=True))
        drawn.append(ctr_exam(dataset, split_events(dataset, 0), "valid", negatives=negatives).item)
    assert np.array_equal(*drawn)


def test_a_click_scorer_answers_by_clicks_where_negatives_are_those_of_the_data():
    dataset = planted(rule=SplitRule("ratio"))
    exam = ctr_exam(dataset, split_events(dataset, 0), "valid", negatives="uniform")

    class Both:
        name = "both"

        def score(self, cases: Cases) -> torch.Tensor:
            return torch.zeros(len(cases), 60)

        def click_scores(self, cases: Cases) -> torch.Tensor:
            return torch.ones(len(cases), 60)

    assert (row_scores(Both(), exam) == 0).all()
    assert (row_scores(Both(), replace(exam, negatives="given")) == 1).all()


def test_stars_are_judged_in_their_own_units():
    dataset = planted()
    split = split_events(dataset, 0)
    exam = stars_exam(dataset, split, "test")

    class Three:
        def stars(self, cases: Cases) -> torch.Tensor:
            return torch.full((len(cases), 60), 3.0)

    found = stars_result(Three(), exam)
    assert found["mae"] == pytest.approx(np.abs(exam.label - 3).mean())
    assert found["rmse"] == pytest.approx(np.sqrt(((exam.label - 3) ** 2).mean()))


def test_row_scores_that_are_not_finite_are_an_error():
    dataset = planted()
    exam = stars_exam(dataset, split_events(dataset, 0), "test")

    class Broken:
        name = "broken"

        def score(self, cases: Cases) -> torch.Tensor:
            return torch.full((len(cases), 60), float("nan"))

    with pytest.raises(ValueError, match="broken gave nan"):
        row_scores(Broken(), exam)


def test_some_cases_keep_their_own_questions():
    dataset = planted()
    exam = full_exam(dataset, split_events(dataset, 0), "test")
    some = only_cases(exam, np.array([5, 3]))
    assert some.cases.user.tolist() == exam.cases.user[[5, 3]].tolist()
    assert pairs_of(some.relevant, some.cases.user) <= pairs_of(exam.relevant, exam.cases.user)
