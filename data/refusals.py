"""The first thing that pydantic refuses, in words: which key, what it holds, what is known."""

from collections.abc import Sequence

from pydantic import BaseModel, ValidationError

from trefoil.data.suggest import closest


def place_of(error: ValidationError) -> tuple[str, ...]:
    """The keys that lead to the first fault; none where values do not go together."""
    return tuple(str(one) for one in error.errors(include_url=False)[0]["loc"])


def explain(error: ValidationError, model: type[BaseModel], what: str, key: str) -> str:
    """The first fault of a tree of ``model``, whose key is called ``what`` and shown as ``key``."""
    first = error.errors(include_url=False)[0]
    place = place_of(error)
    if not place:
        return first["msg"].removeprefix("Value error, ")
    if first["type"] == "missing":
        return f"{key!r} is missing; it is needed"
    if first["type"] == "extra_forbidden":
        known = _branch(model, place[:-1]).model_fields
        return f"unknown {what} {key!r}; {closest(place[-1], known, limit=99)}"
    return f"{key} = {first['input']!r}: {first['msg']}"


def _branch(model: type[BaseModel], place: Sequence[str]) -> type[BaseModel]:
    """The part of a tree of models that lies at a place."""
    for name in place:
        kind = model.model_fields[name].annotation
        parts = [kind, *getattr(kind, "__args__", ())]
        model = next(one for one in parts if isinstance(one, type) and issubclass(one, BaseModel))
    return model
