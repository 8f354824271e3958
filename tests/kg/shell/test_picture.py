"""Pictures: one file, nothing fetched, no text of the graph ever run."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import polars as pl
import pytest
from graph_strategies import films
from hypothesis import given, settings
from hypothesis import strategies as st

from trefoil.data.errors import StoreError
from trefoil.kg.shell.layout import HEIGHT, layout
from trefoil.kg.shell.picture import MOST_NODES, Drawing, page, write_picture
from trefoil.kg.stores.open import open_store, write_graph
from trefoil.kg.stores.values import NODE, node_cell, path_cell, relationship_cell, table_of

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\u2028{{DATA}}&amp;'\""


def drawing_of(*cells) -> Drawing:
    return Drawing.of(table_of(["x"], [[cell] for cell in cells]))


class Page(HTMLParser):
    """Elements, and the text of scripts."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict]] = []
        self.scripts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        if self.elements and self.elements[-1][0] == "script" and data.strip():
            self.scripts.append(data)


def test_a_query_becomes_a_file_with_its_nodes_and_edges(tmp_path):
    write_graph(films(), tmp_path / "graph")
    with open_store(tmp_path) as store:
        table = store.query("MATCH p = (i:Item)-[:GENRE]->(g:Genre) RETURN p")
    drawing = write_picture(table, tmp_path / "x.html", title="Genres & films")
    assert (len(drawing.nodes), len(drawing.edges)) == (9, 8)
    data = json.loads(Page((tmp_path / "x.html").read_text("utf-8")).scripts[0])
    assert {node["label"] for node in data["nodes"]} == {"Item", "Genre"}
    ends = {
        (data["nodes"][e["source"]]["name"], data["nodes"][e["target"]]["name"])
        for e in data["edges"]
    }
    assert ("Solaris", "Science fiction") in ends
    assert "Quiet <b>Night</b>" in {node["name"] for node in data["nodes"]}


@given(st.text(max_size=30) | st.just(HOSTILE))
@settings(deadline=None)
def test_no_text_leaves_its_place(text):
    drawing = drawing_of(
        path_cell(
            [node_cell(text, text, {"name": text, text: text}), node_cell("B", "b", {})],
            [relationship_cell(text, (text, text), ("B", "b"), {text: text})],
        )
    )
    found = Page(page(drawing, text))
    calm = Page(page(drawing_of(node_cell("A", "a", {})), "calm"))
    assert [tag for tag, _ in found.elements] == [tag for tag, _ in calm.elements]
    data = json.loads(found.scripts[0])
    assert data["nodes"][0]["id"] == text
    assert data["title"] == text


def test_only_the_script_of_the_page_may_run_and_nothing_is_fetched():
    text = page(drawing_of(node_cell("A", "a", {"name": HOSTILE})), HOSTILE)
    found = Page(text)
    policy = next(a["content"] for t, a in found.elements if t == "meta" and "http-equiv" in a)
    digest = base64.b64encode(hashlib.sha256(found.scripts[1].encode()).digest()).decode()
    assert policy.startswith("default-src 'none'; ")
    assert f"script-src 'sha256-{digest}'" in policy
    assert not any({"src", "href"} & attributes.keys() for _, attributes in found.elements)
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text)
    assert "innerHTML" not in text


def test_nothing_to_draw_is_refused_with_an_example():
    with pytest.raises(StoreError, match="RETURN p LIMIT 50"):
        Drawing.of(pl.DataFrame({"x": [1], "y": [{"a": 1}]}))
    with pytest.raises(StoreError, match="nothing to draw"):
        Drawing.of(pl.DataFrame({"x": []}, schema={"x": NODE}))


def test_large_answers_are_cut_and_counted():
    drawing = drawing_of(*(node_cell("A", str(k), {}) for k in range(MOST_NODES + 7)))
    assert len(drawing.nodes) == MOST_NODES
    assert drawing.left_out == 7


def test_parallel_edges_are_drawn_each_and_repeated_cells_once():
    ends = ("A", "a"), ("A", "b")
    one = relationship_cell("R", *ends, {"w": 1})
    other = relationship_cell("R", *ends, {"w": 2})
    drawing = drawing_of(one, other, one)
    assert len(drawing.edges) == 2
    assert list(drawing.nodes) == [("A", "a"), ("A", "b")]


def test_names_do_not_cover_each_other():
    rng = np.random.default_rng(1)
    edges = [(int(a), k) for k in range(1, 60) for a in [rng.integers(0, k)]]
    widths = rng.uniform(40, 120, 60)
    places = layout(edges, widths.tolist())
    dx, dy = (np.abs(np.subtract.outer(places[:, c], places[:, c])) for c in (0, 1))
    reach = np.add.outer(widths, widths) / 2
    covered = (dx < 0.8 * reach) & (dy < 0.8 * HEIGHT)
    np.fill_diagonal(covered, False)
    assert covered.sum() / 2 <= 2


@pytest.mark.parametrize("edges", [[], [(0, 0)], [(0, 1)], [(0, 1), (1, 2), (2, 0), (3, 4)]])
def test_small_and_odd_graphs_have_finite_and_equal_places(edges):
    one, other = (layout(edges, [50.0] * 5) for _ in range(2))
    assert np.isfinite(one).all()
    assert np.array_equal(one, other)
    assert len(np.unique(one.round(3), axis=0)) == 5


def test_neighbours_of_a_hub_lie_around_it_each_with_room():
    places = layout([(0, k) for k in range(1, 101)], [100.0] * 101)
    around = places[1:] - places[0]
    apart = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))
    np.fill_diagonal(apart, np.inf)
    assert apart.min() > 0.5 * HEIGHT
    assert (np.histogram(np.arctan2(*around.T), 8, (-np.pi, np.pi))[0] > 0).all()
    wide, high = np.ptp(places, axis=0)
    assert 1 < wide / high < 2.5
    assert wide * high < 2.5 * 100 * 100 * HEIGHT  # of what the names themselves want


@pytest.mark.skipif(not shutil.which("chromium"), reason="no chromium: apt-get install chromium")
@pytest.mark.parametrize(("neighbours", "least"), [(60, 50), (200, 60)])
def test_in_a_browser_the_names_around_a_hub_do_not_cover_each_other(tmp_path, neighbours, least):
    cells = [
        path_cell(
            [
                node_cell("A", f"{k}", {"name": f"Name {k} of several words"}),
                node_cell("H", "h", {}),
            ],
            [relationship_cell("R", ("A", f"{k}"), ("H", "h"), {})],
        )
        for k in range(neighbours)
    ]
    write_picture(table_of(["p"], [[cell] for cell in cells]), tmp_path / "x.html")
    shown = subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--window-size=1200,800",
         f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=2000", "--dump-dom",
         f"file://{tmp_path / 'x.html'}"],
        capture_output=True, text=True, check=True, timeout=120,
    ).stdout  # fmt: skip
    names = re.findall(r'<text class="name" x="([\d.-]+)" y="([\d.-]+)">([^<]*)<', shown)
    assert len(names) >= least
    x, y = (np.array([float(name[c]) for name in names]) for c in (0, 1))
    half = np.array([2.4 * len(name[2]) for name in names])  # letters are wider than 4.8 pixels
    near = np.abs(np.subtract.outer(x, x)) < np.add.outer(half, half)
    near &= np.abs(np.subtract.outer(y, y)) < 11
    assert near.sum() == len(names)  # each with itself
