"""What a statement calls the columns of its answer."""

from __future__ import annotations

from trefoil.kg.cypher.guard import Checked
from trefoil.kg.cypher.tokens import Token, text_of


def column_names(checked: Checked) -> list[str] | None:
    """What the last RETURN calls its columns: the alias, else the text as written.

    None where only the engine knows (``RETURN *``).
    """
    items = returned(checked.tokens)[-1:]
    names = []
    for item in items[0] if items else []:
        if len(item) == 1 and item[0].text == "*":
            return None
        alias = len(item) > 2 and item[-2].word == "AS"
        names.append(item[-1].named if alias else text_of(item))
    return names or None


def returned(tokens: list[Token]) -> list[list[list[Token]]]:
    """The items of each outermost RETURN, each as its tokens."""
    found: list[list[list[Token]]] = []
    depth, inside = 0, False
    for k, token in enumerate(tokens):
        if token.kind == "mark":
            depth += (token.text in "([{") - (token.text in ")]}")
        if depth == 0 and token.word == "RETURN" and not (k and tokens[k - 1].text == "."):
            found.append([[]])
            inside = True
        elif depth == 0 and token.word in ("ORDER", "SKIP", "OFFSET", "LIMIT", "UNION"):
            inside = False
        elif inside and depth == 0 and token.text == ",":
            found[-1].append([])
        elif inside and not (token.word == "DISTINCT" and not found[-1][-1]):
            found[-1][-1].append(token)
    return found
