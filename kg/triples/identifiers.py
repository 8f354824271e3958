"""Identifiers that Wikidata knows, and how each may look: nothing else goes into a query."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from trefoil.data.errors import GraphDataError
from trefoil.data.suggest import closest


@dataclass(frozen=True)
class Scheme:
    """A kind of identifier: its property (none for QIDs), its look, and its forms in Wikidata."""

    property: str | None
    pattern: str
    written: Callable[[str], Sequence[str]] = lambda text: (text,)


def _isbn(text: str) -> Sequence[str]:
    """An ISBN as written, and without hyphens: Wikidata has both."""
    plain = text.replace("-", "").replace(" ", "")
    return tuple(dict.fromkeys((text, plain, *_grouped(plain))))


def _grouped(plain: str) -> Sequence[str]:
    """The groupings of an English ISBN, the one language whose groups are common knowledge."""
    body = plain[3:] if len(plain) == 13 else plain
    lead = f"{plain[:3]}-" if len(plain) == 13 else ""
    if body[:1] not in ("0", "1"):
        return ()
    return [
        f"{lead}{body[0]}-{body[1 : 1 + size]}-{body[1 + size : 9]}-{body[9]}"
        for size in range(2, 8)
    ]


SCHEMES: Mapping[str, Scheme] = {
    "qid": Scheme(None, r"Q[1-9][0-9]{0,11}"),
    "imdb": Scheme("P345", r"(tt|nm|co)[0-9]{7,9}"),
    "tmdb": Scheme("P4947", r"[1-9][0-9]{0,8}"),
    "tmdb-tv": Scheme("P4983", r"[1-9][0-9]{0,8}"),
    "isbn13": Scheme("P212", r"97[89][- ]?([0-9][- ]?){9}[0-9]", _isbn),
    "isbn10": Scheme("P957", r"([0-9][- ]?){9}[0-9Xx]", _isbn),
    "musicbrainz-artist": Scheme(
        "P434", r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    ),
}
_PROPERTY = re.compile(r"P[1-9][0-9]{0,9}")
QID = re.compile(r"Q[1-9][0-9]{0,11}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")


def refuse_odd(
    identifiers: Mapping[str, str],
    scheme: str,
    relations: Iterable[str],
    languages: Sequence[str],
) -> None:
    """Whatever goes into a query has one of a few plain forms: no query can be smuggled in."""
    if scheme not in SCHEMES:
        raise GraphDataError(f"unknown kind of identifier {scheme!r}; {closest(scheme, SCHEMES)}")
    pattern = SCHEMES[scheme].pattern
    for item, text in identifiers.items():
        if not isinstance(text, str) or not re.fullmatch(pattern, text, re.ASCII):
            raise GraphDataError(
                f"item {item!r}: {text!r} is no identifier of kind {scheme}, which looks like "
                f"{pattern}; mend it or leave the item out"
            )
    for known, texts, what in (
        (_PROPERTY, relations, "property"),
        (_LANGUAGE, languages, "language"),
    ):
        for text in texts:
            if not known.fullmatch(text):
                raise GraphDataError(f"{text!r} is no {what}; it looks like {known.pattern}")
    if not languages:
        raise GraphDataError("name at least one language, such as 'en'")
