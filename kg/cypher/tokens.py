"""A Cypher statement as tokens, read more strictly than any engine reads it.

What two readers could understand differently is refused here: letters outside
ASCII that are not quoted, odd escapes, lone carriage returns, numbers that run
into words. Comments are dropped, so that what an engine receives is what was
checked.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trefoil.data.errors import StoreError


class Refused(StoreError):
    """A statement that may not be run, or could not be read for certain."""


@dataclass(frozen=True)
class Token:
    """``kind`` is word, name (in back-ticks), string, number, parameter or mark."""

    kind: str
    text: str
    at: int  # offset in the statement

    @property
    def word(self) -> str:
        """Upper-case text of a bare word, empty for anything else."""
        return self.text.upper() if self.kind == "word" else ""

    @property
    def named(self) -> str:
        """What a word or back-ticked name calls its label, type or property."""
        return self.text[1:-1].replace("``", "`") if self.kind == "name" else self.text


_ESCAPES = r"\\(?:[\\'\"bfnrtBFNRT/`]|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})"
_TOKEN = re.compile(
    rf"""
      (?P<space>[ \t\n\r\f]+)
    | (?P<comment>//[^\n]*|/\*.*?\*/)
    | (?P<string>'(?:[^'\\]|{_ESCAPES})*'|"(?:[^"\\]|{_ESCAPES})*")
    | (?P<name>(?:`[^`]*`)+)
    | (?P<parameter>\$(?:[A-Za-z_][A-Za-z0-9_]*|[0-9]+|`[^`]*`))
    | (?P<number>(?:0x[0-9a-fA-F]+|0o[0-7]+|[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?
        |\.[0-9]+(?:[eE][+-]?[0-9]+)?)(?![A-Za-z0-9_$]))
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*(?!\$))
    | (?P<mark>\.\.|<>|<=|>=|=~|\+=|->|<-|::|\|\||[()\[\]{{}},.;:|&!%+\-*/^=<>])
    """,
    re.VERBOSE | re.DOTALL,
)
_ASCII_ESCAPED = re.compile(r"\\u00[0-7][0-9a-fA-F]|\\U000000[0-7][0-9a-fA-F]")
MOST_LETTERS, MOST_TOKENS = 50_000, 4000


def tokens_of(cypher: str) -> list[Token]:
    """Tokens without spaces and comments. Raises Refused, saying where and why."""
    if len(cypher) > MOST_LETTERS:
        raise Refused(
            f"the statement has {len(cypher)} characters, at most {MOST_LETTERS} are read;"
            " pass long lists as parameters"
        )
    _refuse_odd_characters(cypher)
    out, at = [], 0
    while at < len(cypher):
        match = _TOKEN.match(cypher, at)
        if match is None:
            raise Refused(f"{place(cypher, at)}: {_unreadable(cypher, at)}")
        kind = match.lastgroup or ""
        if kind in ("string", "name", "parameter"):
            _refuse_disguises(cypher, match[0], at)
        if kind not in ("space", "comment"):
            out.append(Token(kind, match[0], at))
        at = match.end()
    if len(out) > MOST_TOKENS:
        raise Refused(
            f"the statement has {len(out)} words and marks, at most {MOST_TOKENS} are read;"
            " pass long lists as parameters"
        )
    return out


def text_of(tokens: Sequence[Token], changes: Mapping[int, str] | None = None) -> str:
    """Tokens as a statement again, some of them, given by position, written differently.

    One space stands wherever the original had any gap.
    """
    parts, end = [], -1
    for k, token in enumerate(tokens):
        if end not in (-1, token.at):
            parts.append(" ")
        parts.append((changes or {}).get(k, token.text))
        end = token.at + len(token.text)
    return "".join(parts)


def string_of(token: Token) -> str:
    """What a string token says, as far as it is written without escapes; else empty."""
    plain = token.kind == "string" and "\\" not in token.text
    return token.text[1:-1] if plain else ""


def place(cypher: str, at: int) -> str:
    """Line and column of an offset, from 1."""
    line = cypher.count("\n", 0, at) + 1
    return f"line {line}, column {at - cypher.rfind(chr(10), 0, at)}"


def label_positions(tokens: list[Token]) -> dict[int, str]:
    """Positions of names in patterns: ``"label"`` in parentheses, ``"type"`` in brackets.

    After a colon, and after ``|``, ``&`` or ``!`` of the same label expression.
    """
    found: dict[int, str] = {}
    open_marks: list[str] = []
    naming = False
    for k, token in enumerate(tokens):
        mark = token.text if token.kind == "mark" else ""
        if mark in ("(", "[", "{"):
            open_marks.append(_bracket(tokens, k))
            naming = naming and mark == "("
            continue
        if mark in (")", "]", "}"):
            if open_marks:
                open_marks.pop()
            naming = False
            continue
        around = open_marks[-1] if open_marks else ""
        if mark == ":" and around in ("(", "-["):
            naming = True
        elif naming and token.kind in ("word", "name") and _names_follow(tokens[k - 1]):
            found[k] = "type" if around == "-[" else "label"
        elif mark not in ("|", "&", "!", "%"):
            naming = False
    return found


def _bracket(tokens: list[Token], k: int) -> str:
    # a relationship's bracket follows a dash; any other is a list or an index
    return (
        "-["
        if tokens[k].text == "[" and k and tokens[k - 1].text in ("-", "<-")
        else tokens[k].text
    )


def _names_follow(token: Token) -> bool:
    return token.kind == "mark" and token.text in (":", "|", "&", "!", "(")


def _refuse_odd_characters(cypher: str) -> None:
    for at, letter in enumerate(cypher):
        kind = unicodedata.category(letter)
        lone_return = letter == "\r" and cypher[at + 1 : at + 2] != "\n"
        if (
            kind in ("Cs", "Cn", "Zl", "Zp")
            or lone_return
            or (kind == "Cc" and letter not in "\t\n\r")
        ):
            raise Refused(
                f"{place(cypher, at)}: the character U+{ord(letter):04X} cannot stand in a"
                " statement; pass text as a parameter"
            )


def _refuse_disguises(cypher: str, text: str, at: int) -> None:
    # Neo4j decodes \u0027 before it looks for the end of a string, others after
    if match := _ASCII_ESCAPED.search(text):
        raise Refused(
            f"{place(cypher, at + match.start())}: {match[0]} may be read as a quote or a"
            " letter; write the character itself, or pass the text as a parameter"
        )
    if not text.startswith(("'", '"')) and "\\" in text:
        raise Refused(f"{place(cypher, at)}: a back-slash in a quoted name can be read in two ways")


def _unreadable(cypher: str, at: int) -> str:
    letter = cypher[at]
    if letter in "'\"":
        end = re.search(r"\\(?![\\'\"bfnrtBFNRT/`uU])", cypher[at:])
        if end is not None:
            return "a string with an escape that engines read differently; write \\\\ for \\"
        return "this string does not end"
    if letter == "`":
        return "this quoted name does not end"
    if cypher.startswith("/*", at):
        return "this comment does not end"
    if ord(letter) > 127:
        name = unicodedata.name(letter, f"U+{ord(letter):04X}")
        return (
            f"{letter!r} ({name}) may stand only in strings and back-ticked names;"
            " it can look like another letter"
        )
    if letter.isdigit():
        return "a number that runs into a word; put a space between"
    return f"{letter!r} is not part of a Cypher statement"
