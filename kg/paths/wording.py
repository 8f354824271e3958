"""A path in words: a sentence that a person would say, for any predicate."""

from collections.abc import Sequence

from trefoil.kg.naming import upper_snake
from trefoil.kg.paths.diversify import DIRECT, PEOPLE, TWO_STEPS
from trefoil.kg.paths.predicates import Predicate, predicate

SHARED_ONE = "a shared "  # begins the name of a node that has none, before its label
_MADE = ("urn:trefoil:blank:", "neo4j:")  # how ids begin that stand for no name


def unnamed(label: str, one: str) -> str:
    """What a node without a name is called: by its id, or by what it is where that says nothing."""
    if not one.startswith(_MADE):
        return one
    return SHARED_ONE + upper_snake(label).replace("_", " ").lower()


def wording(
    kind: int, seen: str, relations: Sequence[str], names: Sequence[str], verb: str = "liked"
) -> str:
    """The path in words. Names are set in as they are: whoever shows them escapes them.

    ``verb`` says what the person did with the item of the history. Relations are those of
    ``kg.paths.search.Found``: of the item of the history first.
    """
    liked = f"because you {verb} *{seen}*"
    if kind == PEOPLE:
        return f"{liked}, and people who {verb} it also {verb} this"
    said = [predicate(one) for one in relations]
    if kind == DIRECT:
        return f"{liked}, {_direct(said[0])}"
    if kind == TWO_STEPS:
        first, second = names
        parts = (
            said[0].of("it", first),
            said[1].of(first, second, ""),
            said[2].of("this", second, "here the"),
        )
        return f"{liked}: {parts[0]}, {parts[1]}, and {parts[2]}"
    (name,) = names
    if name.startswith(SHARED_ONE):
        return f"{liked}, by {name}"
    one, other = said[0], said[-1]
    if one == other or (one.also and one.also == other.also and one.inverse == other.inverse):
        return f"{liked}{_both(one, name)}"
    return f"{liked}{_two_roles(one, other, name)}"


def _both(one: Predicate, name: str) -> str:
    """Both have it with the same."""
    if one.kind == "noun" and one.inverse:
        return f", also {one.article} of {name}"
    if one.inverse:
        return f": {one.of('both', name)}"
    if one.also:
        return f", also {one.also} {name}"
    return (
        f", and this also {one.words} {name}"
        if one.kind == "verb"
        else f", same {one.words}: {name}"
    )


def _direct(one: Predicate) -> str:
    """The item has it with the item of the history, or the other way round."""
    if one.kind == "noun":
        return f"and this is its {one.words}" if one.inverse else f"the {one.words} of this"
    verb = one.words if one.kind == "verb" else f"is {one.words}"
    return f"which {verb} this" if one.inverse else f"and this {verb} it"


def _two_roles(one: Predicate, other: Predicate, name: str) -> str:
    """The item of the history has it in one role, the item in another."""
    if one.kind == other.kind == "noun" and not (one.inverse or other.inverse):
        return f", whose {one.words} {name} is {other.article} here"
    return f": {one.of('it', name)}, and {other.of('this', name, 'here the')}"
