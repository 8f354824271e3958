"""The report is one file, escapes what it is told, and says what is not significant."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from trefoil.evaluation.ablation import verdict
from trefoil.evaluation.metrics.pointwise_metrics import reliability
from trefoil.evaluation.reporting.charts import Bar, bars, lines, ticks
from trefoil.evaluation.reporting.html import Example, Findings, evaluation_page
from trefoil.evaluation.reporting.html_tables import groups_tables, means_table
from trefoil.evaluation.result import Result
from trefoil.evaluation.significance import compare, holm

HOSTILE = '<script>alert("x")</script>'


def result(name: str, shift: float) -> Result:
    values = np.clip(np.random.default_rng(0).random(50) * 0.4 + shift, 0, 1)
    return Result(name, {"ndcg@10": values, "recall@10": values}, 1.0, {}, np.arange(50))


def report() -> str:
    ours, other = result("trefoil", 0.1), result(HOSTILE, 0.0)
    tests = holm(
        [
            compare(
                ours.name,
                other.name,
                "ndcg@10",
                [ours.users],
                [ours.per_case["ndcg@10"]],
                [ours.per_case["ndcg@10"]],
            )
        ]
    )
    found = Findings(
        [ours, other],
        data={"events": 12345, "fingerprint": "ab" * 32, HOSTILE: HOSTILE},
        warnings=[HOSTILE],
        history=[
            {"epoch": e, "loss": {"order": 1 / e, HOSTILE: 2 / e}, "note": "text"}
            for e in (1, 2, 3)
        ],
        slices={HOSTILE: (HOSTILE, [ours, other])},
        significance=tests,
        verdicts=[verdict("graph", tests[0], None)],
        reliability={HOSTILE: reliability(np.array([0, 1]), np.array([0.2, 0.9]))},
        examples=[Example(HOSTILE, [HOSTILE], [(HOSTILE, 1.5, [HOSTILE])])],
        notes=[HOSTILE],
    )
    return evaluation_page(HOSTILE, HOSTILE, found, HOSTILE)


class Balanced(HTMLParser):
    """Fails on a tag that is closed out of turn."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag, _attributes) -> None:
        self.seen.append(tag)
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag, _attributes) -> None:
        self.seen.append(tag)

    def handle_endtag(self, tag) -> None:
        assert self.open.pop() == tag


def test_nothing_of_the_data_becomes_markup_and_every_tag_is_closed():
    page = Balanced()
    page.feed(report())
    assert page.open == []
    assert "script" not in page.seen
    assert {"svg", "table", "ol", "dl"} <= set(page.seen)


def test_the_page_needs_no_other_file():
    text = report()
    assert not re.search(r'(src|href)="(?!#)', text)
    assert "url(" not in text
    assert "@import" not in text
    assert "$" not in text


def test_every_part_that_is_given_is_shown():
    text = report()
    titles = ("Results", "Differences", "Slices", "Calibration", "Examples", "Data")
    assert all(f"<h2>{title}</h2>" in text for title in titles)
    assert "not significant" in text
    assert "12,345" in text
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text


def test_parts_that_are_empty_leave_no_heading():
    text = evaluation_page("t", "l", Findings([result("trefoil", 0.1)]))
    assert "<h2>Results</h2>" in text
    assert "<h2>Slices</h2>" not in text
    assert "Learning curves" not in text


def test_the_best_of_a_column_is_marked_also_where_small_is_good():
    rows = {"a": {"ndcg@10": 0.2, "rmse": 0.9}, "b": {"ndcg@10": 0.1, "rmse": 0.8}}
    html = means_table(rows)
    assert re.findall(r'class="best">([\d.]+)', html) == ["0.2000", "0.8000"]


def test_of_groups_accuracy_is_marked_and_what_all_models_share_is_said_once():
    told = {
        group: {
            "a": {"cases": cases, "exposure@10": 0.5, "ndcg@10": 0.2},
            HOSTILE: {"cases": cases, "exposure@10": 0.4, "ndcg@10": 0.3},
        }
        for group, cases in (("rare", 1_152.0), ("popular", 40.0))
    }
    html = groups_tables("items", told, "a")
    assert re.findall(r"<h3>(.*?)</h3>", html) == ["items: exposure@10", "items: ndcg@10"]
    assert html.count("<td>1,152</td>") == 2  # once in each table
    assert re.findall(r"class=best>([\d.]+)", html) == ["0.3000", "0.3000"]
    assert HOSTILE not in html


def test_equal_columns_have_no_best():
    assert "best" not in means_table({"a": {"mrr@10": 0.0}, "b": {"mrr@10": 0.0}})


def test_a_value_that_is_missing_is_a_dash():
    assert "–" in means_table({"a": {"x@1": float("nan")}, "b": {"y@1": 1.0}})


def test_bars_are_as_long_as_their_values():
    svg = bars([Bar("a", 0.4), Bar("b", 0.2, 0.1, 0.3), Bar("c", float("nan"))], "t")
    widths = [float(w) for w in re.findall(r'<rect [^>]*width="([\d.]+)"', svg)]
    assert len(widths) == 2
    assert widths[0] == pytest.approx(2 * widths[1], abs=0.2)


def test_charts_of_nothing_are_nothing():
    assert bars([], "t") == ""
    assert lines({"a": [(1.0, float("nan"))]}, "t", "epoch") == ""


def test_a_flat_curve_is_drawn():
    svg = lines({"a": [(1, 0.5), (2, 0.5)]}, "t", "epoch")
    (path,) = re.findall(r'class="line c0" d="([^"]*)"', svg)
    (x0, y0), (x1, y1) = re.findall(r"([\d.]+) ([\d.]+)", path)
    assert float(x0) < float(x1)
    assert y0 == y1
    assert "nan" not in svg


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-3.7, 12), (0.171, 0.1742), (0, 1e6)])
def test_ticks_are_few_and_inside(low, high):
    found = ticks(low, high)
    assert 1 <= len(found) <= 6
    assert all(low <= tick <= high for tick in found)
