"""The portable subset of Cypher, as the embedded engine wants it.

The embedded engine has one name space, blind to letter case, for labels and
relationship types; it calls ``type()`` ``label()``; and some functions have
other names there. Everything else passes as it was written.
"""

from __future__ import annotations

from collections.abc import Mapping

from trefoil.kg.cypher.columns import returned
from trefoil.kg.cypher.guard import Checked
from trefoil.kg.cypher.names import quoted
from trefoil.kg.cypher.tokens import Refused, Token, label_positions, text_of
from trefoil.kg.stores.embedded.manifest import DOT

_RENAMED = {
    "tostring": "string",
    "tointeger": "to_int64",
    "tofloat": "to_double",
    "split": "string_split",
    "head": "list_any_value",
    "stdev": "stddev",
}


def to_embedded(
    checked: Checked,
    labels: Mapping[str, str],
    types: Mapping[str, str],
    limit: int,
    properties: Mapping[str, str] | None = None,
) -> str:
    """The statement with stored names and the engine's functions, bounded to ``limit`` rows.

    ``labels``, ``types`` and ``properties`` give the stored name of each label, type
    and property; other names pass unchanged, and the engine says that it does not
    know them.
    """
    tokens = checked.tokens
    _refuse_crash(tokens)
    changes: dict[int, str] = {}
    dotted = any(DOT in name for name in (*labels.values(), *types.values()))
    for k, kind in label_positions(tokens).items():
        stored = (labels if kind == "label" else types).get(tokens[k].named)
        if stored is not None:
            changes[k] = quoted(stored)
    for k, token in enumerate(tokens):
        if token.kind in ("word", "name") and _is_property(tokens, k):
            changes[k] = quoted((properties or {}).get(token.named, token.named))
        if token.kind == "word" and _opens(tokens, k + 1) and not _follows_dot(tokens, k):
            _function(tokens, k, changes, dotted)
    text = text_of(tokens, changes)
    return text if checked.limited else f"{text} LIMIT {limit}"


def _refuse_crash(tokens: list[Token]) -> None:
    """LadybugDB 0.22 dies of a UNION whose part has a LIMIT and returns one thing twice."""
    clause, limited = "", False
    for token in tokens:
        clause = token.word if token.word in ("RETURN", "WITH") else clause
        limited |= clause == "RETURN" and token.word in ("LIMIT", "SKIP", "OFFSET")
    if not limited or not any(token.word == "UNION" for token in tokens):
        return
    for items in returned(tokens):
        texts = [
            text_of(item[:-2] if len(item) > 2 and item[-2].word == "AS" else item)
            for item in items
        ]
        if twice := next((text for text in texts if texts.count(text) > 1), None):
            raise Refused(
                f"a UNION with LIMIT that returns {twice} twice crashes the embedded engine;"
                " return it once, or put the LIMIT into a WITH before the RETURN"
            )


def _function(tokens: list[Token], k: int, changes: dict[int, str], dotted: bool) -> None:
    name = tokens[k].text.lower()
    if name in ("type", "label", "labels"):
        end = _closing(tokens, k + 1)
        before, after = ("[", "]") if name == "labels" else ("", "")
        if dotted:
            before, after = f"{before}replace(", f", '{DOT}', '.'){after}"
        # stored names may end in spaces that tell them apart
        changes[k] = f"{before}rtrim(label"
        changes[end] = f")){after}"
    elif name in _RENAMED:
        changes[k] = _RENAMED[name]


def _opens(tokens: list[Token], k: int) -> bool:
    return k < len(tokens) and tokens[k].text == "("


def _is_property(tokens: list[Token], k: int) -> bool:
    """What follows the dot of a variable and is no function."""
    return _follows_dot(tokens, k) and k > 1 and not _opens(tokens, k + 1)


def _follows_dot(tokens: list[Token], k: int) -> bool:
    return k > 0 and tokens[k - 1].text == "."


def _closing(tokens: list[Token], k: int) -> int:
    depth = 0
    for at in range(k, len(tokens)):
        if tokens[at].kind == "mark":
            depth += (tokens[at].text == "(") - (tokens[at].text == ")")
        if depth == 0:
            return at
    return len(tokens) - 1
