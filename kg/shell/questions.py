"""Named questions, in the dialect of either store.

Labels and relationship types are taken from the store's schema and quoted; ids
and numbers go as parameters. No text of a user ever becomes part of a statement.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trefoil.data.errors import StoreError
from trefoil.data.suggest import closest
from trefoil.kg.cypher.names import quoted
from trefoil.kg.graph import INTERACTED, ITEM, USER
from trefoil.kg.shell.question_parts import Argument, Question, Words
from trefoil.kg.stores.base import ROWS, SECONDS, Answer, GraphStore, Schema

DRAWN = 80  # paths in a drawing, where the question does not say
_N = Argument("number", "at most so many rows", 20)
_LABEL = Argument("label", "the label of the node", ITEM)
_ID = Argument("id", "the id of the node")
_USER = Argument("id", "the id of a user")
_ITEM = Argument("id", "the id of an item")
_EVENT = f"[e:{INTERACTED}]"


def _neighbours(w: Words) -> str:
    node = f"(n:{w.quoted('label')} {{id: $id}})"
    columns = f"type(r) AS relation, {w.label('m')} AS label, m.id AS id, {w.name('m')} AS name"
    return (
        f"MATCH {node}-[r]->(m) WITH r, m LIMIT $n RETURN 'to' AS direction, {columns}"
        f" UNION ALL MATCH {node}<-[r]-(m) WITH r, m LIMIT $n RETURN 'from' AS direction, {columns}"
    )


def _draw_neighbours(w: Words) -> str:
    return f"MATCH p = (n:{w.quoted('label')} {{id: $id}})-[]-(m) RETURN p LIMIT $n"


def _shared(w: Words) -> str:
    return (
        f"MATCH (a:{ITEM} {{id: $a}})-[r]->(x)<-[s]-(b:{ITEM} {{id: $b}}) WHERE type(r) = type(s)"
        f" RETURN DISTINCT type(r) AS relation, {w.label('x')} AS label, x.id AS id,"
        f" {w.name('x')} AS name ORDER BY relation, id LIMIT $n"
    )


def _draw_shared(_: Words) -> str:
    return (
        f"MATCH p = (a:{ITEM} {{id: $a}})-[r]->(x)<-[s]-(b:{ITEM} {{id: $b}})"
        " WHERE type(r) = type(s) RETURN p LIMIT $n"
    )


def _reasons(w: Words) -> str:
    return (
        f"{_reason_paths()} RETURN {w.name('h', ITEM)} AS because, type(r) AS relation,"
        f" {w.name('x')} AS shared, count(e) AS events ORDER BY because, relation, shared LIMIT $n"
    )


def _reason_paths() -> str:
    return (
        f"MATCH p = (u:{USER} {{id: $user}})-{_EVENT}->(h:{ITEM})-[r]->(x)<-[s]-"
        f"(i:{ITEM} {{id: $item}}) WHERE h.id <> i.id AND type(r) = type(s)"
    )


def _connect(w: Words) -> str:
    return f"{_connection(w)} RETURN length(p) AS hops, p AS path"


def _connection(w: Words) -> str:
    left = f"(a:{w.quoted('from_label')} {{id: $from}})"
    right = f"(b:{w.quoted('to_label')} {{id: $to}})"
    if w.embedded:
        return f"MATCH {w.shortest(left, right, 6)}"
    return f"MATCH {left}, {right} MATCH {w.shortest('(a)', '(b)', 6)}"


def _most_connected(w: Words) -> str:
    label = w.names["label"]
    return (
        f"MATCH (n:{quoted(label)})-[r]-() RETURN n.id AS id, {w.name('n', label)} AS name,"
        " count(DISTINCT r) AS relationships ORDER BY relationships DESC, id LIMIT $n"
    )


def _draw_most_connected(w: Words) -> str:
    return (
        f"MATCH (n:{w.quoted('label')})-[r]-() WITH n, count(DISTINCT r) AS many, n.id AS id"
        f" ORDER BY many DESC, id LIMIT 3 MATCH p = (n)-[]-(m) RETURN p LIMIT $n"
    )


def _profile(w: Words) -> str:
    return (
        f"MATCH (u:{USER} {{id: $user}})-{_EVENT}->(i:{ITEM})-[:{w.quoted('relation')}]->(x)"
        f" RETURN {w.name('x')} AS name, count(e) AS events, count(DISTINCT i.id) AS items"
        " ORDER BY events DESC, name LIMIT $n"
    )


def _draw_profile(w: Words) -> str:
    return (
        f"MATCH p = (u:{USER} {{id: $user}})-{_EVENT}->(i:{ITEM})-[:{w.quoted('relation')}]->(x)"
        " RETURN p LIMIT $n"
    )


def _similar(w: Words) -> str:
    return (
        f"MATCH (a:{ITEM} {{id: $item}})-[r]->(x)<-[s]-(b:{ITEM})"
        f" WHERE a.id <> b.id AND type(r) = type(s) RETURN b.id AS id, {w.name('b', ITEM)} AS name,"
        f" count(DISTINCT x.id) AS shared, collect(DISTINCT {w.name('x')}) AS what"
        " ORDER BY shared DESC, id LIMIT $n"
    )


def _draw_similar(_: Words) -> str:
    return (
        f"MATCH p = (a:{ITEM} {{id: $item}})-[r]->(x)<-[s]-(b:{ITEM})"
        " WHERE a.id <> b.id AND type(r) = type(s) RETURN p LIMIT $n"
    )


def _also(w: Words) -> str:
    return (
        f"MATCH (i:{ITEM} {{id: $item}})<-{_EVENT}-(u:{USER})-[f:{INTERACTED}]->(j:{ITEM})"
        f" WHERE i.id <> j.id RETURN j.id AS id, {w.name('j', ITEM)} AS name,"
        " count(DISTINCT u.id) AS users ORDER BY users DESC, id LIMIT $n"
    )


def _draw_also(_: Words) -> str:
    return (
        f"MATCH p = (i:{ITEM} {{id: $item}})<-{_EVENT}-(u:{USER})-[f:{INTERACTED}]->(j:{ITEM})"
        " WHERE i.id <> j.id RETURN p LIMIT $n"
    )


QUESTIONS: Mapping[str, Question] = {
    "neighbours": Question(
        "everything next to one node",
        {"id": _ID, "label": _LABEL, "n": _N},
        _neighbours,
        _draw_neighbours,
    ),
    "shared-attributes": Question(
        "what two items have in common",
        {"a": _ITEM, "b": Argument("id", "the id of another item"), "n": _N},
        _shared,
        _draw_shared,
    ),
    "path": Question(
        "how an item is joined to what a user has met",
        {"user": _USER, "item": _ITEM, "n": _N},
        _reasons,
        lambda _: f"{_reason_paths()} RETURN p LIMIT $n",
    ),
    "connect": Question(
        "the shortest way between any two nodes, at most six steps",
        {
            "from": Argument("id", "the id of the first node"),
            "to": Argument("id", "the id of the last node"),
            "from_label": Argument("label", "the label of the first node", ITEM),
            "to_label": Argument("label", "the label of the last node", ITEM),
        },
        _connect,
        lambda w: f"{_connection(w)} RETURN p",
    ),
    "most-connected": Question(
        "the nodes with the most relationships",
        {"label": _LABEL, "n": _N},
        _most_connected,
        _draw_most_connected,
    ),
    "genre-profile": Question(
        "what a user's items have in common, genre by genre (or another relation)",
        {
            "user": _USER,
            "relation": Argument("type", "a relationship type of items", "GENRE"),
            "n": _N,
        },
        _profile,
        _draw_profile,
    ),
    "similar-items": Question(
        "items that share the most with one item", {"item": _ITEM, "n": _N}, _similar, _draw_similar
    ),
    "also-met": Question(
        "what else the people met who met an item", {"item": _ITEM, "n": _N}, _also, _draw_also
    ),
}


def statement(
    name: str, schema: Schema, dialect: str, given: Mapping[str, Any], *, drawing: bool = False
) -> tuple[str, dict[str, Any]]:
    """The Cypher of a named question, and its parameters.

    Raises StoreError for an unknown question or argument, a missing or wrong
    value, and a label or type that the schema does not have.
    """
    if name not in QUESTIONS:
        raise StoreError(f"no question {name!r}; {closest(name, QUESTIONS)}")
    question = QUESTIONS[name]
    for key in given:
        if key not in question.arguments:
            raise StoreError(
                f"question {name!r} takes no {key!r}; it takes {', '.join(question.arguments)}"
            )
    names: dict[str, str] = {}
    parameters: dict[str, Any] = {}
    for key, argument in question.arguments.items():
        default = DRAWN if drawing and key == "n" else argument.default
        value = given.get(key, default)
        if value is None:
            raise StoreError(f"question {name!r} needs {key} ({argument.about}): --arg {key}=...")
        if argument.kind == "number":
            parameters[key] = _number(name, key, value)
        elif argument.kind == "id":
            parameters[key] = str(value)
        else:
            known = schema.labels if argument.kind == "label" else schema.types
            if value not in known:
                raise StoreError(f"{key}={value!r}: the graph has {', '.join(known) or 'none'}")
            names[key] = str(value)
    words = Words(schema, dialect, names)
    return (question.drawing if drawing else question.text)(words), parameters


def _number(question: str, key: str, value: Any) -> int:
    try:
        number = int(value)
    except ValueError:
        number = 0
    if not 0 < number <= ROWS:
        raise StoreError(
            f"question {question!r}: {key}={value!r} must be a number from 1 to {ROWS}"
        )
    return number


def ask_named(
    store: GraphStore,
    name: str,
    arguments: Mapping[str, Any],
    *,
    drawing: bool = False,
    limit: int = ROWS,
    timeout_s: float = SECONDS,
) -> Answer:
    """The answer to a named question, at most ``limit`` rows; see ``QUESTIONS``.

    Raises StoreError.
    """
    text, parameters = statement(name, store.schema(), store.dialect, arguments, drawing=drawing)
    return store.ask(text, parameters, limit=limit, timeout_s=timeout_s)
