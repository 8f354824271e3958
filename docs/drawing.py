"""Arrows between named boxes as an SVG picture: boxes on floors, importers above."""

from collections.abc import Collection, Iterable, Mapping
from html import escape

import networkx as nx

HIGH, FLOOR, GAP, MARGIN, SLOT = 34, 84, 18, 20, 14  # pixels
ROUNDS = 12  # of sorting each floor by its neighbours

Node = str | tuple[str, str, int]  # a box, or the place where an arrow passes a floor


def drawing(arrows: Iterable[tuple[str, str]], *, label: str, folders: Collection[str]) -> str:
    """The picture of ``(importer, imported)`` pairs without circles.

    An arrow that follows from others is left out. A box whose name is in ``folders`` is a
    folder, the others are files with rounded corners. ``label`` is read to those who see none.
    """
    graph = nx.transitive_reduction(nx.DiGraph(sorted(set(arrows))))
    heights = _heights(graph)
    chains = [_chain(one, heights) for one in sorted(graph.edges)]
    rows = _sorted_rows(heights, chains)
    wide = max(sum(_width(node) + GAP for node in row) for row in rows) - GAP
    middles = dict[Node, float]()
    for row in rows:
        left = MARGIN + (wide - sum(_width(node) + GAP for node in row) + GAP) / 2
        for node in row:
            middles[node] = left + _width(node) / 2
            left += _width(node) + GAP
    size = wide + 2 * MARGIN, (len(rows) - 1) * FLOOR + HIGH + 2 * MARGIN
    tops = {
        node: size[1] - MARGIN - HIGH - floor * FLOOR
        for floor, row in enumerate(rows)
        for node in row
    }
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size[0]:.0f} {size[1]:.0f}" '
            f'width="{size[0]:.0f}" font-family="system-ui, sans-serif" font-size="14" '
            f'role="img" aria-label="{escape(label)}">',
            '<defs><marker id="a" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
            'markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="#546e7a"/></marker>'
            "</defs>",
            f'<rect width="{size[0]:.0f}" height="{size[1]:.0f}" fill="#ffffff" rx="8"/>',
            '<g fill="none" stroke="#78909c" stroke-width="1.4">',
            *(_line(chain, middles, tops) for chain in chains),
            '</g><g stroke="#00897b">',
            *(
                f'<rect x="{middles[name] - _width(name) / 2:.1f}" y="{tops[name]}" '
                f'width="{_width(name):.1f}" height="{HIGH}" rx="{4 if name in folders else 17}" '
                f'fill="{"#e0f2f1" if name in folders else "#ffffff"}"/>'
                for name in sorted(graph)
            ),
            '</g><g fill="#263238" text-anchor="middle">',
            *(
                f'<text x="{middles[name]:.1f}" y="{tops[name] + 22}">{escape(name)}</text>'
                for name in sorted(graph)
            ),
            "</g></svg>\n",
        ]
    )


def _heights(graph: nx.DiGraph) -> dict[Node, int]:
    """The floor of each box: one above the highest that it imports."""
    floors = list(nx.topological_generations(graph.reverse()))
    return {name: floor for floor, names in enumerate(floors) for name in names}


def _chain(arrow: tuple[str, str], heights: Mapping[Node, int]) -> list[Node]:
    """An arrow from above to below, with a place on each floor that it passes."""
    above, below = arrow
    between = range(heights[above] - 1, heights[below], -1)
    return [above, *((above, below, floor) for floor in between), below]


def _sorted_rows(heights: Mapping[Node, int], chains: list[list[Node]]) -> list[list[Node]]:
    """Each floor's boxes and passing arrows, so ordered that few lines cross."""
    floors: dict[Node, int] = dict(heights)
    near = nx.Graph()
    for chain in chains:
        floors |= {node: node[2] for node in chain if isinstance(node, tuple)}
        nx.add_path(near, chain)
    rows: list[list[Node]] = [[] for _ in range(max(floors.values()) + 1)]
    for node in sorted(floors, key=str):
        rows[floors[node]].append(node)
    place = {node: at / len(row) for row in rows for at, node in enumerate(row)}
    for step in range(ROUNDS):
        for row in rows if step % 2 else rows[::-1]:
            middle = {
                node: sum(place[other] for other in near[node]) / max(len(near[node]), 1)
                for node in row
            }
            row.sort(key=lambda node: (middle[node], str(node)))
            place |= {node: (at + 0.5) / len(row) for at, node in enumerate(row)}
    return rows


def _width(node: Node) -> float:
    return SLOT if isinstance(node, tuple) else 8.2 * len(node) + 24


def _line(chain: list[Node], middles: Mapping[Node, float], tops: Mapping[Node, float]) -> str:
    """A curve down through the places of an arrow."""
    path = [f"M{middles[chain[0]]:.1f} {tops[chain[0]] + HIGH}"]
    at = tops[chain[0]] + HIGH
    for node in chain[1:]:
        x, bend = middles[node], (tops[node] - at) / 2
        before = middles[chain[chain.index(node) - 1]]
        path.append(
            f"C{before:.1f} {at + bend:.1f} {x:.1f} {at + bend:.1f} {x:.1f} {tops[node]:.1f}"
        )
        at = tops[node]
        if isinstance(node, tuple):
            at += HIGH
            path.append(f"V{at:.1f}")
    return f'<path d="{" ".join(path)}" marker-end="url(#a)"/>'
