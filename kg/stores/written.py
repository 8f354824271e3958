"""What writing recommendations into a database did."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Written:
    """How many relationships and users were written, old ones removed, and ids not found.

    Of users and items that the database does not have, the first ten are named.
    """

    relationships: int
    users: int
    removed: int
    unknown_users: tuple[str, ...] = ()
    unknown_items: tuple[str, ...] = ()
