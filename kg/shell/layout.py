"""Where the nodes of a drawing go: neighbours near, names legible, parts side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import networkx as nx
import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.float64]  # [nodes, 2] in pixels, y downwards

STEP = 130.0  # between neighbours
HEIGHT = 48.0  # of a node with its name below
GAP = 70.0  # between parts that are not joined


def layout(edges: Iterable[tuple[int, int]], widths: Sequence[float]) -> Places:
    """Places of nodes whose names are so many pixels wide; the same for the same graph."""
    graph = nx.Graph()
    graph.add_nodes_from(range(len(widths)))
    graph.add_edges_from((s, t) for s, t in edges if s != t)
    wide = np.asarray(widths, np.float64)
    places = np.zeros((len(widths), 2))
    parts = [np.array(sorted(part)) for part in nx.connected_components(graph)]
    for part in parts:
        inside = _springs(
            nx.relabel_nodes(graph.subgraph(part), {n: k for k, n in enumerate(part)})
        )
        places[part] = _apart(inside, wide[part])
    _pack(places, parts, wide)
    return places - (places.max(axis=0) + places.min(axis=0)) / 2


def _springs(graph: nx.Graph) -> Places:
    """After Kamada and Kawai (1989), then Fruchterman and Reingold (1991)."""
    n = len(graph)
    if n <= 2:
        return np.array([[0.0, 0.0], [STEP, 0.0]])[:n]
    start = nx.kamada_kawai_layout(graph) if n <= 120 else nx.spectral_layout(graph)
    rng = np.random.default_rng(7)
    start = {k: place + rng.normal(0, 0.02, 2) for k, place in start.items()}
    steps = 40 if n <= 120 else 120
    found = nx.spring_layout(
        graph, pos=start, k=1.8 / np.sqrt(n), iterations=steps, seed=7, method="force"
    )
    places = np.array([found[k] for k in range(n)])
    ends = np.array(list(graph.edges))
    long = np.linalg.norm(places[ends[:, 0]] - places[ends[:, 1]], axis=1)
    return places * (STEP / max(float(np.median(long)), 1e-6))


def _apart(places: Places, widths: NDArray[np.float64]) -> Places:
    """Push nodes whose boxes overlap away from each other, along the shorter way."""
    places = places.copy()
    reach = (widths[:, None] + widths[None, :]) / 2
    np.fill_diagonal(reach, 0)
    for _ in range(80):
        d = places[:, None, :] - places[None, :, :]
        over_x, over_y = reach - np.abs(d[..., 0]), HEIGHT - np.abs(d[..., 1])
        hit = (over_x > 0.5) & (over_y > 0.5)
        np.fill_diagonal(hit, False)
        if not hit.any():
            break
        sign = np.where(
            d == 0,
            np.sign(np.arange(len(places))[:, None] - np.arange(len(places)))[..., None],
            np.sign(d),
        )
        sideways = hit & (over_x < over_y)
        places[:, 0] += 0.25 * (sign[..., 0] * over_x * sideways).sum(axis=1)
        places[:, 1] += 0.25 * (sign[..., 1] * over_y * (hit & ~sideways)).sum(axis=1)
    return places


def _pack(places: Places, parts: list[NDArray[np.int64]], widths: NDArray[np.float64]) -> None:
    """Parts in rows, the largest first, about as wide as a screen is for its height."""

    def box(part: NDArray[np.int64]) -> tuple[Places, float, float]:
        half = np.stack([widths[part] / 2, np.full(len(part), HEIGHT / 2)], axis=1)
        low, high = (places[part] - half).min(axis=0), (places[part] + half).max(axis=0)
        return low, float(high[0] - low[0]) + GAP, float(high[1] - low[1]) + GAP

    boxes = sorted(((*box(part), part) for part in parts), key=lambda one: (-one[2], one[3][0]))
    area = sum(width * height for _, width, height, _ in boxes)
    room = max(1.5 * np.sqrt(area), max(width for _, width, _, _ in boxes))
    x = y = row = 0.0
    for low, width, height, part in boxes:
        if x and x + width > room:
            x, y, row = 0.0, y + row, 0.0
        places[part] += [x - low[0], y - low[1]]
        x, row = x + width, max(row, height)
