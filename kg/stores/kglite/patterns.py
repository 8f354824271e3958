"""Patterns as the engine reads them: paths with an end, arrows both ways, order of steps."""

from __future__ import annotations

from trefoil.kg.cypher.functions import words
from trefoil.kg.stores.kglite.walk import Walk

FARTHEST = 1_000_000  # steps of a path without an end of its own
_CLAUSES = words(
    "MATCH OPTIONAL RETURN WITH UNWIND CALL UNION CREATE MERGE SET DELETE DETACH REMOVE"
)


class Patterns:
    """Notes on a walk what its patterns need."""

    def __init__(self, walk: Walk) -> None:
        self.walk, self.tokens = walk, walk.tokens
        self.names = 0

    def write(self) -> None:
        start = -1  # of the pattern of a MATCH that is being read, outside brackets
        depth = 0
        for k, token in enumerate(self.tokens):
            mark = token.text if token.kind == "mark" else ""
            if depth == 0 and (token.word == "MATCH" or (mark == "," and start >= 0)):
                start = k + 1
                if mark and self.walk.peek(k + 3).text.lower() == "shortestpath":
                    self.walk.instead[k] = " MATCH "  # the engine reads it first in a clause only
            elif depth == 0 and token.word:
                start = start if k == start else -1
            if mark == "*":
                self.star(k, start)
            elif mark == "<-":
                self.both_ways(k)
            elif (
                token.word == "WHERE" and depth == 1 and start >= 0 and not self.walk.is_gone(k, k)
            ):
                self.condition(k)
            elif mark == "{" and self.walk.peek(k - 1).word == "EXISTS":
                self.without_return(k)
            elif mark == ":" and self.walk.peek(k - 1).text == "|":
                self.walk.instead[k] = ""
            depth += (mark in ("(", "[", "{")) - (mark in (")", "]", "}"))

    def star(self, k: int, start: int) -> None:
        """The steps of a pattern get an end; a list of them, the order of the pattern."""
        begin = self.opening(k)
        peek = self.walk.peek
        if begin < 0 or peek(begin - 1).text not in ("-", "<-"):
            return
        low = peek(k + 1)
        if low.kind == "number" and peek(k + 2).text == "..":
            if peek(k + 3).kind != "number":
                self.walk.after[k + 2] = f"{FARTHEST} "
        elif low.text == ".." and peek(k + 2).kind != "number":
            self.walk.instead[k + 1] = f"1..{FARTHEST} "
        elif low.kind != "number" and low.text != "..":
            self.walk.after[k] = f"1..{FARTHEST} "
        named = peek(begin + 1).kind in ("word", "name")
        if named and start >= 0 and peek(start).text == "(":
            # the engine may walk from the other end, unless the whole path is wanted
            self.names += 1
            self.walk.before[start] = f"_path{self.names} = "

    def opening(self, k: int) -> int:
        """The bracket around a position, if it is a square one."""
        at = self.opened(k)
        return at if self.walk.peek(at).text == "[" else -1

    def condition(self, k: int) -> None:
        """``(n WHERE ...)`` in a MATCH, as part of its WHERE."""
        begin = max(self.opened(k), 0)
        end = self.walk.end_of(begin)
        text = self.walk.written(k + 1, end - 1)
        at, depth = end + 1, 0
        while at < len(self.tokens):
            mark = self.tokens[at].text if self.tokens[at].kind == "mark" else ""
            if depth == 0 and self.tokens[at].word in _CLAUSES | {"WHERE"}:
                break
            depth += (mark in ("(", "[", "{")) - (mark in (")", "]", "}"))
            if depth < 0:
                break
            at += 1
        self.walk.replace(k, end - 1, "")
        if self.walk.peek(at).word == "WHERE":
            self.walk.instead[at] = self.walk.instead.get(at, "WHERE") + f" ({text}) AND"
        else:
            before = self.walk.before.get(at, "")
            joined = (
                f"{before.rstrip()} AND ({text}) " if "WHERE" in before else f" WHERE ({text}) "
            )
            self.put_before(at, joined)

    def put_before(self, at: int, text: str) -> None:
        if at < len(self.tokens):
            self.walk.before[at] = text
        else:
            last = len(self.tokens) - 1
            self.walk.after[last] = text

    def opened(self, k: int) -> int:
        """The bracket around a position."""
        depth = 0
        for at in range(k - 1, -1, -1):
            mark = self.tokens[at].text if self.tokens[at].kind == "mark" else ""
            if mark in (")", "]", "}"):
                depth += 1
            elif mark in ("(", "[", "{"):
                if depth == 0:
                    return at
                depth -= 1
        return -1

    def without_return(self, k: int) -> None:
        """``EXISTS { MATCH ... RETURN x }`` asks for no more than it does without RETURN."""
        end, depth = self.walk.end_of(k), 0
        if any(token.word in ("WITH", "LIMIT", "SKIP", "UNION") for token in self.tokens[k:end]):
            return
        for at in range(k + 1, end):
            mark = self.tokens[at].text if self.tokens[at].kind == "mark" else ""
            depth += (mark in ("(", "[", "{")) - (mark in (")", "]", "}"))
            if depth == 0 and self.tokens[at].word == "RETURN":
                self.walk.replace(at, end - 1, "")

    def both_ways(self, k: int) -> None:
        """``<-->`` and ``<-[...]->`` are ``--`` and ``-[...]-``."""
        end = self.walk.end_of(k + 1) if self.walk.peek(k + 1).text == "[" else k
        if self.walk.peek(end + 1).text == "->":
            self.walk.instead[k] = self.walk.instead[end + 1] = "-"
