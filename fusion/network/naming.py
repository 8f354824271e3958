"""Names of columns and tasks as names of parts of a network."""

from torch import nn

_HOLDERS = (nn.ParameterDict(), nn.ModuleDict())


def own(column: str) -> str:
    """The name of a scenario column or task among modules: no dot, and no method's name.

    The own name of an own name is itself.
    """
    plain = column.isidentifier() and not any(hasattr(one, column) for one in _HOLDERS)
    return column if plain else f"column_{column.encode().hex()}"
