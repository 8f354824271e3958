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
HUB = 8  # a node with so many neighbours of its own has them around it
AROUND = 1.5  # how much wider than high the ellipse of them is, as screens are
GOLDEN = np.pi * (3 - np.sqrt(5))


def layout(edges: Iterable[tuple[int, int]], widths: Sequence[float]) -> Places:
    """Places of nodes whose names are so many pixels wide; the same for the same graph."""
    graph = nx.Graph()
    graph.add_nodes_from(range(len(widths)))
    graph.add_edges_from((s, t) for s, t in edges if s != t)
    wide = np.asarray(widths, np.float64)
    places = np.zeros((len(widths), 2))
    parts = [np.array(sorted(part)) for part in nx.connected_components(graph)]
    for part in parts:
        leaves = _leaves(graph, part)
        around = {hub: _rings(wide[own]) for hub, own in leaves.items()}
        room = {hub: 2 * np.abs(ring).max(axis=0) for hub, ring in around.items()}
        own = {leaf for some in leaves.values() for leaf in some}
        core = np.array([node for node in part if node not in own])
        sizes = np.stack([wide[core], np.full(len(core), HEIGHT)], axis=1)
        for k, hub in enumerate(core):
            if hub in room:
                sizes[k] += room[hub]
        inside = _springs(
            nx.relabel_nodes(graph.subgraph(core), {n: k for k, n in enumerate(core)})
        )
        places[core] = _apart(inside, sizes)
        for hub, some in leaves.items():
            places[some] = places[hub] + around[hub]
    _pack(places, parts, wide)
    return places - (places.max(axis=0) + places.min(axis=0)) / 2


def _leaves(graph: nx.Graph, part: NDArray[np.int64]) -> dict[int, list[int]]:
    """Of each hub the neighbours that have no other; a star's own centre is the hub."""
    found: dict[int, list[int]] = {}
    for node in part.tolist():
        near = list(graph.adj[node])
        if len(near) == 1 and graph.degree(near[0]) > 1:
            found.setdefault(near[0], []).append(node)
    return {hub: leaves for hub, leaves in found.items() if len(leaves) >= HUB}


def _rings(widths: NDArray[np.float64]) -> Places:
    """Places around a hub, evenly spread over an ellipse as seeds are in a sunflower.

    After Vogel (1979): the angle grows by the golden one, the radius by the root. Each place
    has the room of a name of average width.
    """
    n = np.arange(len(widths)) + 4.0  # room for the hub and its own name
    one = np.sqrt(widths.mean() * HEIGHT / np.pi)
    angle, radius = GOLDEN * n, one * np.sqrt(n)
    return np.stack(
        [radius * np.cos(angle) * np.sqrt(AROUND), radius * np.sin(angle) / np.sqrt(AROUND)], axis=1
    )


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


def _apart(places: Places, sizes: NDArray[np.float64]) -> Places:
    """Push nodes whose boxes overlap away from each other, along the shorter way."""
    places = places.copy()
    reach = (sizes[:, None, :] + sizes[None, :, :]) / 2
    for _ in range(80):
        d = places[:, None, :] - places[None, :, :]
        over_x, over_y = np.moveaxis(reach - np.abs(d), 2, 0)
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
