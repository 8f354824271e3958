"""Property names as the engine keeps them, and as people see them.

kglite answers some names itself: ``n.id`` is its own number of a node, ``n.title``,
``n.type`` and ``n.label`` are made up where a node has none. A property of such a
name is stored with a trailing space, so that only what the graph holds is ever read.
"""

from __future__ import annotations

ROW, TITLE = "id", ".t"  # the engine's own identity and title of a node
SOURCE, TARGET = ".s", ".e"  # columns of ends while edges are loaded
ANSWERED = frozenset(
    (ROW, TITLE, SOURCE, TARGET)
    + ("title", "name", "label", "type", "node_type", "connection_type", "start", "end")
)
ID = "id "  # where our own id of a node is stored
SECOND_ID = "id  "  # a property of a node that is called id as well: kept, and not asked for


def stored(name: str) -> str:
    """The name under which a property is kept.

    >>> stored("title"), stored("year")
    ('title ', 'year')
    """
    return name + " " if name.rstrip(" ") in ANSWERED else name


def shown(name: str) -> str | None:
    """The property's own name; None for what the engine has added.

    >>> shown("title "), shown("title"), shown("year")
    ('title', None, 'year')
    """
    if name.rstrip(" ") not in ANSWERED:
        return name
    return name[:-1] if name.endswith(" ") else None
