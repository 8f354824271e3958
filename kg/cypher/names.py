"""Names of labels, relationship types and properties in a Cypher statement."""

from __future__ import annotations

import unicodedata

from trefoil.data.errors import StoreError


def quoted(name: str) -> str:
    """A label, type or property name in back-ticks, whatever it contains.

    Raises StoreError for names that no engine keeps: empty, or with control
    characters.
    """
    if not name or any(unicodedata.category(letter) in ("Cc", "Cs") for letter in name):
        raise StoreError(
            f"{name!r} cannot be the name of a label, relationship type or property:"
            " it is empty or has control characters; rename it"
        )
    return "`" + name.replace("`", "``") + "`"
