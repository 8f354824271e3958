"""Property names as the engine keeps them, and as people see them.

kglite answers some names itself: ``n.id`` is its own number of a node, ``n.title``,
``n.type`` and ``n.label`` are made up where a node has none. A property of such a
name is stored with a trailing space, so that only what the graph holds is ever read.

Its patterns read labels and relationship types a second time, without back-ticks, so
that only plain words are safe there: other names are stored in letters and digits.
"""

from __future__ import annotations

import re

from trefoil.kg.cypher.names import quoted

ROW, TITLE = "id", ".t"  # the engine's own identity and title of a node
SOURCE, TARGET = ".s", ".e"  # columns of ends while edges are loaded
ANSWERED = frozenset(
    (ROW, TITLE, SOURCE, TARGET, "title", "name", "label", "type", "node_type")
) | {"connection_type", "start", "end"}
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


_PLAIN = re.compile(r"(?!__x)[A-Za-z_][A-Za-z0-9_ .-]*")
_OTHER = re.compile(r"[^A-Za-z0-9]")


def stored_kind(name: str) -> str:
    """The name under which a label or relationship type is kept.

    >>> stored_kind("Film"), stored_kind("a:b")
    ('Film', '__xa_3a_b')
    """
    if _PLAIN.fullmatch(name):
        return name
    return "__x" + _OTHER.sub(lambda letter: f"_{ord(letter[0]):x}_", name)


def shown_kind(name: str) -> str:
    """The label or relationship type that is kept under a name.

    >>> shown_kind("__xa_3a_b")
    'a:b'
    """
    if not name.startswith("__x"):
        return name
    return re.sub(r"_([0-9a-f]+)_", lambda code: chr(int(code[1], 16)), name[3:])


def quoted_kind(name: str) -> str:
    """A label or relationship type in a statement. Raises StoreError for names without letters."""
    quoted(name)
    return quoted(stored_kind(name))
