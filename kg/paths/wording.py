"""A path in words: a sentence that a person would say, for any predicate."""

from collections.abc import Sequence

from trefoil.kg.paths.diversify import DIRECT, PEOPLE, TWO_STEPS

SHARED_ONE = "a shared "  # begins the name of a node that has none, before its label

_ALSO = {
    "DIRECTOR": "also directed by {}",
    "WRITER": "also written by {}",
    "AUTHOR": "also written by {}",
    "ACTOR": "also with {}",
    "STARRING": "also with {}",
    "CAST_MEMBER": "also with {}",
    "PRODUCER": "also produced by {}",
    "MUSIC_COMPOSER": "also with music by {}",
    "COMPOSER": "also with music by {}",
    "CINEMATOGRAPHY": "also filmed by {}",
    "EDITING": "also edited by {}",
    "PERFORMER": "also performed by {}",
    "PUBLISHER": "also published by {}",
    "DISTRIBUTOR": "also distributed by {}",
    "COUNTRY": "also from {}",
    "COUNTRY_OF_ORIGIN": "also from {}",
    "DECADE": "also of the {}",
    "ERA": "also of the {}",
}


def wording(
    kind: int, seen: str, relations: Sequence[str], names: Sequence[str], verb: str = "liked"
) -> str:
    """The path in words. Names are set in as they are: whoever shows them escapes them.

    ``verb`` says what the person did with the item of the history.
    """
    liked = f"because you {verb} *{seen}*"
    words = [relation.removeprefix("^").replace("_", " ").lower() for relation in relations]
    if kind == PEOPLE:
        return f"{liked}, and people who {verb} it also {verb} this"
    if kind == DIRECT:
        inward = relations[0].startswith("^")
        return f"{liked}, whose {words[0]} this is" if inward else f"{liked}, its {words[0]}"
    if kind == TWO_STEPS:
        first, second = names
        return f"{liked}: {words[0]} {first}, {words[1]} {second}, here {words[2]}"
    (name,) = names
    if relations[0] != relations[-1]:
        return f"{liked}: {name}, there {words[0]}, is here {words[-1]}"
    known = _ALSO.get(relations[0].rpartition("__")[2]) or _ALSO.get(
        relations[0].partition("_")[2] if relations[0].count("_") == 1 else ""
    )
    if known:
        return f"{liked}, {known.format(name)}"
    if name.startswith(SHARED_ONE):
        return f"{liked}, by {name}"
    return f"{liked}, same {words[0]}: {name}"
