"""The parameters that a statement names."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from trefoil.kg.cypher.tokens import Refused, Token


def check_parameters(tokens: Sequence[Token], given: Collection[str]) -> None:
    """Raises Refused for a parameter that is used and was not given."""
    used = dict.fromkeys(token.text[1:].strip("`") for token in tokens if token.kind == "parameter")
    missing = [name for name in used if name not in given]
    if missing:
        name = missing[0]
        had = f"; given: {', '.join(sorted(given))}" if given else ""
        raise Refused(
            f"the statement uses ${name}, which was not given{had};"
            f" pass {name}=... (explore.py: --arg {name}=..., in the prompt :param {name}=...)"
        )
