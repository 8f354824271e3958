"""Notes on the tokens of a statement: what stands before, after or instead of each."""

from __future__ import annotations

from trefoil.kg.cypher.tokens import Token, text_of

Span = tuple[int, int]  # positions of the first and the last token


class Walk:
    """Changes compose: what is put around tokens stays around what is put inside."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.before: dict[int, str] = {}
        self.after: dict[int, str] = {}
        self.instead: dict[int, str] = {}
        self.spans: dict[int, int] = {}  # first and last position of what was replaced

    def changes(self) -> dict[int, str]:
        """The text of every token that changes."""
        return {
            k: self.before.get(k, "")
            + self.instead.get(k, self.tokens[k].text)
            + self.after.get(k, "")
            for k in {*self.before, *self.after, *self.instead}
        }

    def put(self, first: int, before: str, last: int, after: str) -> None:
        """Text around tokens, inside what other calls have put around more of them."""
        if not self.is_gone(first, last):
            self.before[first] = self.before.get(first, "") + before
            self.after[last] = after + self.after.get(last, "")

    def replace(self, first: int, last: int, text: str) -> None:
        """One text in place of some tokens; what was noted inside them is part of it."""
        if self.is_gone(first, last):
            return
        self.spans[first] = last
        for k in range(first, last + 1):
            self.instead[k] = ""
            if k > first:
                self.before.pop(k, None)
            if k < last:
                self.after.pop(k, None)
        self.instead[first] = text

    def is_gone(self, first: int, last: int) -> bool:
        """Whether these tokens lie inside what was replaced, and are not all of it."""
        return any((a < first <= b) or (a <= last < b) for a, b in self.spans.items())

    def written(self, first: int, last: int) -> str:
        """Some tokens as they will stand, as a statement of their own would have them."""
        part = type(self).__new__(type(self))
        part.__dict__.update(self.__dict__)
        Walk.__init__(part, self.tokens[first : last + 1])
        return part.text()

    def text(self) -> str:
        return text_of(self.tokens, self.changes())

    def peek(self, k: int) -> Token:
        return self.tokens[k] if 0 <= k < len(self.tokens) else Token("mark", "", 0)

    def end_of(self, k: int) -> int:
        """The bracket that closes the one that opens here."""
        depth = 0
        for at in range(k, len(self.tokens)):
            if self.tokens[at].kind == "mark":
                depth += (self.tokens[at].text in "([{") - (self.tokens[at].text in ")]}")
            if depth == 0:
                return at
        return len(self.tokens) - 1

    def start_of(self, k: int) -> int:
        """The bracket that opens the one that closes here."""
        depth = 0
        for at in range(k, -1, -1):
            if self.tokens[at].kind == "mark":
                depth += (self.tokens[at].text in ")]}") - (self.tokens[at].text in "([{")
            if depth == 0:
                return at
        return 0

    def arguments(self, k: int) -> tuple[int, list[Span]]:
        """The end of the call whose bracket opens here, and where each argument lies."""
        end, depth, spans, first = self.end_of(k), 0, [], k + 1
        for at in range(k + 1, end + 1):
            mark = self.tokens[at].text if self.tokens[at].kind == "mark" else ""
            if depth == 0 and (mark == "," or at == end):
                if at > first:
                    spans.append((first, at - 1))
                first = at + 1
            depth += (mark in ("(", "[", "{")) - (mark in (")", "]", "}"))
        return end, spans

    def operand(self, k: int) -> int | None:
        """The last token of the value that begins here and binds closer than times."""
        if self.peek(k).text in ("-", "+"):
            return self.operand(k + 1)
        token = self.peek(k)
        if token.word == "CASE" or (token.kind == "mark" and token.text not in ("(", "[")):
            return None
        at = self.end_of(k) if token.kind == "mark" else k
        while True:
            following = self.peek(at + 1)
            if following.text == "." and following.kind == "mark":
                at += 2
            elif following.text in ("(", "[", "{") and following.kind == "mark":
                at = self.end_of(at + 1)
            elif following.text == "^":
                return self.operand(at + 2)
            else:
                return at
