"""What a predicate says: a noun (director), a phrase (part of, directed by) or a verb (depicts).

Names come in any form: ``DIRECTED_BY``, ``directedBy``, ``film.film.directed_by``, an IRI;
``^`` before one reads it from its other end.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from trefoil.kg.naming import local

Kind = Literal["noun", "phrase", "verb"]

# What two items with the same are said to be, "also directed by X", and the names of it.
_ALSO = {
    "directed by": "director|film director|directed by",
    "written by": "writer|author|screenwriter|story by|screenplay by|written by",
    "created by": "creator|character creator|created by",
    "with": "actor|cast|cast member|regular cast|star|starring|featuring|guest star",
    "voiced by": "voice actor",
    "produced by": "producer|executive producer|produced by",
    "made by": "production company|manufacturer|developer|studio|made by",
    "with music by": "composer|music composer|music|music by",
    "filmed by": "cinematographer|cinematography|director of photography",
    "edited by": "editor|film editor|editing|edited by",
    "performed by": "performer|performed by",
    "by": "artist|made by the artist",
    "published by": "publisher|published by",
    "distributed by": "distributor|distributed by",
    "from": "country|country of origin|origin|hometown|nationality|country of citizenship",
    "in": "language|original language|language of work or name|in language",
    "of the": "decade|era|period",
    "about": "main subject|about",
    "on": "record label|platform",
    "playing": "instrument|instruments played",
}
_PHRASE = {name: phrase for phrase, names in _ALSO.items() for name in names.split("|")}


def _several(words: str) -> frozenset[str]:
    return frozenset(words.split())


_BEFORE_NOUN = {"has", "have", "had"}
_BEFORE_PHRASE = {"is", "was", "are", "were", "be", "been", "being"}
_ENDS = _several("by of in on at from for with to about into as after")
_VERBS = _several(
    "follows precedes depicts features uses contains includes mentions requires extends cites "
    "replaces influences supports likes resembles plays adapts covers continues"
)
_IRREGULAR = {
    "part",
    "set",
    "shot",
    "made",
    "born",
    "sung",
    "built",
    "known",
    "composed",
    "similar",
}
_DOMAINS = _several(
    "film music tv people award location games cvg event type business fictional book theater "
    "sports organization media common education"
)
_PREFIXES = {"wdt", "wd", "dbo", "dbp", "schema", "dc", "dcterms", "rdfs", "foaf", "ns"}


@dataclass(frozen=True)
class Predicate:
    """How a predicate is said. ``also`` ends "also ..." for two that have it with the same."""

    kind: Kind
    words: str
    inverse: bool
    also: str | None

    @property
    def article(self) -> str:
        """The words after "a" or "an"."""
        return f"{'an' if self.words[0] in 'aeiou' else 'a'} {self.words}"

    def of(self, subject: str, name: str, here: str = "its") -> str:
        """A clause that says it of a subject: "its director is X", "X is part of it".

        ``here`` is what stands before the noun: "its", "the ... of X" where it is empty.
        """
        if self.kind == "noun":
            if self.inverse:
                return f"{subject} is {self.article} of {name}"
            owner = f"{here} {self.words}" if here else f"the {self.words} of {subject}"
            return f"{owner} is {name}"
        verb = self.words if self.kind == "verb" else f"is {self.words}"
        return f"{name} {verb} {subject}" if self.inverse else f"{subject} {verb} {name}"


@lru_cache(maxsize=4096)
def predicate(relation: str) -> Predicate:
    """What a relation says."""
    inverse = relation.startswith("^")
    words = _words(relation.removeprefix("^"))
    kind: Kind = "noun"
    if len(words) > 1 and words[0] in _BEFORE_NOUN:
        words = words[1:]
    elif len(words) > 1 and words[0] in _BEFORE_PHRASE:
        words, kind = words[1:], "phrase"
    elif len(words) == 1 and words[0] in _VERBS:
        kind = "verb"
    if kind != "verb" and (words[-1] in _ENDS or (len(words) == 1 and words[0].endswith("ing"))):
        kind = "phrase"
    for first in range(len(words)):  # film film director: the longest end that is known
        name = " ".join(words[first:])
        known = _PHRASE.get(name) or _PHRASE.get(_singular(name))
        if known:
            noun = name if name in _PHRASE else _singular(name)
            return Predicate(kind, noun, inverse, known)
    if kind == "noun" and len(words) > 1 and words[0] in _ENDS:
        words = words[1:]  # in year
    if kind == "noun" and len(words) > 2 and words[0] in _DOMAINS:
        words = words[2:]  # music artist track
    said = " ".join(words)
    if kind == "phrase" and not _is_said_alone(words):
        said = f"{'an' if said[0] in 'aeiou' else 'a'} {said}"
    return Predicate(kind, said, inverse, said if kind == "phrase" else None)


def _is_said_alone(words: list[str]) -> bool:
    """Part of, directed by, similar to: what needs no article, unlike a sequel of."""
    first = words[0]
    return first in _ENDS or first in _IRREGULAR or first.endswith(("ed", "ing", "en"))


def _words(name: str) -> list[str]:
    """Words in small letters; a predicate without any is "relation"."""
    if "/" in name or "#" in name:
        name = local(name)
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    words = [word.lower() for word in re.split(r"[\W_]+", text) if word]
    if len(words) > 1 and words[0] in _PREFIXES:
        words = words[1:]
    return words or ["relation"]


def _singular(noun: str) -> str:
    """Without the s of a plural; good enough for nouns of the table."""
    return noun[:-1] if noun.endswith("s") and not noun.endswith("ss") else noun
