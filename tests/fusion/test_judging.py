"""Judging from Python says what the command says; an implementation is held to the contract."""

import polars as pl
import pytest
from planted_shop import TINY, read_shop

from trefoil import check_recommender
from trefoil.data.errors import ConfigError, DataError
from trefoil.evaluation.protocols.protocols import exam_for
from trefoil.evaluation.result import examine
from trefoil.fusion.features.preparation import split_of
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.settings import load_settings

USERS, ITEMS = ["u0", "u1", "u2"], ["i0-1", "i1-1"]


def test_any_metric_at_any_k_with_a_table_by_user(served, shop):
    found = served.evaluate(shop, metrics=["ndcg", "recall@5", "auc", "coverage"], k=[3, 10])
    names = {"ndcg@3", "ndcg@10", "recall@5", "auc", "coverage@3", "coverage@10"}
    assert set(found.means) == names
    split = split_of(shop, served.settings)
    exam = exam_for(shop, split, "test")
    expected = examine("x", served, exam, ["ndcg@3", "recall@5"]).means()
    assert {name: found.means[name] for name in expected} == pytest.approx(expected)
    assert found.per_user.columns[0] == "user"
    assert len(found.per_user) == len(exam)
    assert found.per_user["ndcg@10"].mean() == pytest.approx(found.means["ndcg@10"])
    valid = served.evaluate(shop, k=10, part="valid").means["ndcg@10"]
    assert valid != pytest.approx(found.means["ndcg@10"])


def test_what_cannot_be_judged_is_refused(served, shop, tmp_path):
    with pytest.raises(DataError, match="other data"):
        served.evaluate(read_shop(tmp_path / "data", seed=5))
    with pytest.raises(ValueError, match="unknown"):
        served.evaluate(shop, metrics=["luck"])


def test_a_column_that_nothing_reads_is_told_and_what_took_items_in_is_not_judged(
    shop_run, shop, caplog
):
    longer = Recommender.load(shop_run, live=False)
    longer.add_items(pl.DataFrame({"id": ["new"], "titel": ["New"]}))
    assert "column 'titel' is not read; did you mean 'title'?" in caplog.text
    with pytest.raises(ConfigError, match="took items in; evaluate it as first fit"):
        longer.evaluate(shop)


def test_a_fit_tells_how_far_it_is_where_it_is_asked_to(shop, capsys):
    changes = [*TINY, "network.on=false", "reranker=false", "rating_process=false"]
    Recommender(load_settings(None, changes)).fit(shop, progress=True)
    told = capsys.readouterr()
    assert told.err
    assert not told.out


def test_ours_keeps_to_what_callers_rely_on(served):
    assert len(check_recommender(served, USERS, ITEMS)) == 9
    with pytest.raises(ConfigError, match="at least two"):
        check_recommender(served, ["u0"], ITEMS)


class Wrapped:
    """Ours, with one fault."""

    def __init__(self, served, fault):
        self.served, self.fault, self.asked = served, fault, 0

    def recommend(self, user=None, k=10, **said):
        self.asked += 1
        if self.fault == "raises" and user and "nobody" in user:
            raise KeyError(user)
        if self.fault == "without":
            said.pop("without", None)
        if self.fault == "history" and said.get("history"):
            user = "u5"
        answer = list(self.served.recommend(user, k=k + (self.fault == "long"), **said))
        return answer[::-1] if self.fault == "order" else answer

    def recommend_many(self, users, k=10):
        table = self.served.recommend_many(users, k=k)
        return table.reverse() if self.fault == "table" else table


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("long", "at most k items"),
        ("order", "Scores are finite and fall"),
        ("raises", "A user that nobody knows"),
        ("history", "An unknown item of a history"),
        ("without", "``only`` and ``without``"),
        ("table", "A table answers"),
    ],
)
def test_a_fault_is_found_and_named(served, fault, told):
    with pytest.raises(DataError, match=told):
        check_recommender(Wrapped(served, fault), USERS, ITEMS)
