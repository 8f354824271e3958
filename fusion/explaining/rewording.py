"""Reasons in other words: a language model may say a path, and never a thing that is not in it."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from trefoil.kg.paths.explain import Reason

WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
# Words that claim nothing of anything; beside them a sentence has those of the path alone.
EMPTY = frozenset(
    WORD.findall(
        "a an and also are as at be because both but by can could did do enjoy for from had has "
        "have here i if in is it it's its just like love may might of on one or our pick recommend "
        "recommended same shares since so suggest suggested that the their them then there these "
        "they this to too try was we were which who with would you you'll you're you've your"
    )
)
ASKED = (
    "Say this in one friendly sentence to the reader. Keep every name exactly as it is and add "
    "nothing: {text}."
)

Write = Callable[[Sequence[str]], Sequence[str]]  # answers of a language model to questions


def reworded(reasons: Sequence[Reason], write: Write) -> list[Reason]:
    """The reasons in the words of a language model, where these say the path and nothing else.

    Where they do not, the plain wording stays; nodes, edges and Cypher always do.
    """
    answers = write([ASKED.format(text=one.text.replace("*", "")) for one in reasons])
    found = []
    for reason, answer in zip(reasons, answers, strict=True):
        said = first_sentence(answer)
        found.append(replace(reason, text=said) if says_the_path(said, reason) else reason)
    return found


def says_the_path(said: str, reason: Reason) -> bool:
    """Whether a sentence has all names and all telling words of a reason, and no others.

    Names are those of the path that the plain wording says; they must stand in the sentence
    letter by letter, in the same order. Every other word must be of the plain wording or
    claim nothing (``EMPTY``). So neither a person nor a role, a number or a title can come in.
    """
    plain = reason.text.replace("*", "")
    names = sorted({node.name for node in reason.nodes if node.name in plain}, key=len)
    rest = said
    if sorted(names, key=plain.find) != sorted(names, key=said.find):
        return False
    for name in reversed(names):
        if name not in rest:
            return False
        plain, rest = plain.replace(name, " "), rest.replace(name, " ")
    told, words = (set(WORD.findall(one.casefold())) for one in (plain, rest))
    return bool(words) and words <= told | EMPTY and told - EMPTY <= words


def first_sentence(answer: str) -> str:
    """The first line of an answer without quotes around it and without a full stop."""
    line = next(iter(answer.strip().splitlines()), "")
    return line.strip('"“” ').removesuffix(".")
