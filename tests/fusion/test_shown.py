"""Tables for people hold what was answered, and text of users never becomes markup."""

import pandas as pd
import polars as pl

from trefoil.data.shown import Shown


def test_an_answer_is_a_table_in_both_kinds_of_frame(served):
    answer = served.recommend("u0", k=3, shares=True)
    frame = answer.to_polars()
    assert frame.columns[:6] == ["rank", "item", "title", "score", "stars", "why"]
    assert frame["item"].to_list() == [one.item for one in answer]
    assert frame["why"].to_list() == [one.why for one in answer]
    shares = frame.select(pl.sum_horizontal(pl.selectors.starts_with("share ")))
    assert (shares.to_series() - frame["score"]).abs().max() < 1e-2
    pandas = answer.to_pandas()
    assert isinstance(pandas, pd.DataFrame)
    assert pandas["score"].tolist() == frame["score"].to_list()
    assert served.recommend("u0", k=0).to_polars().columns == frame.columns[:6]


def test_an_answer_is_shown_with_its_reasons_and_what_was_dropped(served):
    answer = served.recommend("u0", k=3)
    for shown in (str(answer), repr(answer)):
        assert answer[0].title in shown
        assert "seen before" in shown
    assert answer[0].title in answer._repr_html_()
    assert answer.__rich__().row_count == 3


def test_titles_never_become_markup():
    table = Shown("[b]t[/b]", ["[red]", "n"], [["<script>x</script>", 1.23456], ["[bold]y", None]])
    assert "<script>" not in table.html()
    assert "&lt;script&gt;x" in table.html()
    assert "[bold]y" in table.text()
    assert "[b]t[/b]" in table.text()
    assert "1.23" in table.text()


def test_a_recommender_a_dataset_and_a_reason_say_what_they_are(served, shop):
    assert "shop" in repr(served)
    assert "40 items" in repr(served)
    assert "60 users" in repr(shop)
    assert "<table" in shop._repr_html_()
    assert "<table" in served._repr_html_()
    reason = served.explain("u0", "i0-1")[0]
    assert reason.text in reason._repr_html_()
