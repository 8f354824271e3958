"""Answers as JSON. orjson writes NaN and infinity as null, so neither ever leaves."""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

import orjson
from starlette.responses import Response

from trefoil.fusion.recommendation import Answer, Basis, Dropped, Recommendation
from trefoil.kg.paths.explain import Reason
from trefoil.serving.hosting.host import Model
from trefoil.serving.metrics import Told

OPTIONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
JSON = "application/json"
_FIELDS = {kind: tuple(one.name for one in fields(kind)) for kind in (Basis, Dropped)}


def packed(value: Any) -> bytes:
    """JSON of plain values, numbers of numpy and dates."""
    return orjson.dumps(value, default=str, option=OPTIONS)


def reply(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A reply of plain values."""
    return Response(packed(value), status, dict(headers or {}), JSON)


def answer_json(
    answer: Answer, model: Model, state: str, found: Iterable[dict[str, Any]]
) -> dict[str, Any]:
    """A list with what it rests on, and which model and state gave it."""
    return {
        "id": secrets.token_urlsafe(12),
        "model": model.name,
        "state": state,
        "based_on": _plain(answer.based_on),
        "dropped": {**_plain(answer.dropped), "text": str(answer.dropped)},
        "items": list(found),
    }


def _plain(one: Basis | Dropped) -> dict[str, Any]:
    """The fields by name; their values are plain already, and are not copied."""
    return {name: getattr(one, name) for name in _FIELDS[type(one)]}


def item_json(one: Recommendation) -> dict[str, Any]:
    """One item of a list."""
    return {
        "item": one.item,
        "title": one.title,
        "score": one.score,
        "stars": one.stars,
        "pinned": one.pinned,
        "shares": one.shares,
        "reasons": [reason_json(reason) for reason in one.reasons],
    }


def reason_json(reason: Reason) -> dict[str, Any]:
    """A reason in words, as a path and as a statement; it holds no id of another person."""
    cypher, parameters = reason.statement
    return {
        "text": reason.text,
        "weight": reason.weight,
        "nodes": [{"label": label, "id": id, "name": name} for label, id, name, _ in reason.nodes],
        "edges": [{"type": edge[0], "forward": edge[1]} for edge in reason.edges],
        "cypher": cypher,
        "parameters": parameters,
    }


def told_of(answer: Answer, k: int, *, text: bool) -> Told:
    """What the metrics hear of an answer."""
    basis = answer.based_on
    kinds = [
        name
        for name, is_so in (
            ("user", basis.user_known and basis.events > basis.told),
            ("history", basis.told > 0),
            ("text", text),
        )
        if is_so
    ]
    cold = basis.events == 0
    return Told("+".join(kinds) or "anybody", cold, len(basis.unknown), len(answer) < k)
