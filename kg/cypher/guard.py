"""What a statement may say before an engine sees it.

An allow-list: one statement, of known clauses, that calls known functions. A
word that follows a complete value can only begin a clause or continue an
expression, so it must be one of the words allowed here; everywhere else a word
is a name to every engine. Neo4j's read access mode and the embedded store's
read-only files stand behind this check; they stop writes, but not statements
that read files or reach out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from trefoil.kg.cypher.functions import FUNCTIONS, PROCEDURES, words
from trefoil.kg.cypher.tokens import Refused, Token, label_positions, place, tokens_of

Dialect = Literal["neo4j", "embedded", "kglite"]

READ = words("MATCH OPTIONAL WHERE WITH RETURN UNWIND ORDER SKIP OFFSET LIMIT UNION CALL")
WRITE = words("CREATE MERGE SET DELETE DETACH REMOVE ON")
OPENING = words("MATCH OPTIONAL WITH RETURN UNWIND CALL")  # may begin a query

# continue an expression after a value; the value of the pair says that another must follow
_CONTINUE = {
    **dict.fromkeys(
        words("AND OR XOR IN STARTS ENDS CONTAINS IS AS BY WHEN THEN ELSE YIELD"), True
    ),
    **dict.fromkeys(words("END ASC DESC ASCENDING DESCENDING PATH PATHS GROUP GROUPS"), False),
    **dict.fromkeys(words("SHORTEST TRAIL ACYCLIC"), True),
}
# begin an expression or a pattern, and want more
_BEGIN = words("NOT DISTINCT CASE WHEN THEN ELSE BY WITH IN ALL ANY SHORTEST WSHORTEST")
_SUBQUERY = words("EXISTS COUNT COLLECT CALL")
_NOT_FUNCTIONS = words(
    "AND OR XOR NOT IN AS IS BY WHEN THEN ELSE CASE DISTINCT CONTAINS STARTS ENDS SHORTEST TRAIL"
    " ACYCLIC ALL ANY YIELD PATH PATHS GROUP GROUPS NULL"
)
# never a bare name: these begin statements that write, administer or reach out
FORBIDDEN = words(
    "CREATE MERGE SET DELETE DETACH REMOVE INSERT UPDATE UPSERT TRUNCATE DROP ALTER RENAME FOREACH"
    " LOAD COPY EXPORT IMPORT INSTALL UNINSTALL ATTACH USE SHOW GRANT DENY REVOKE TERMINATE START"
    " STOP BEGIN COMMIT ROLLBACK CHECKPOINT EXPLAIN PROFILE CYPHER PERIODIC TRANSACTIONS"
    " CONCURRENT COMMENT MACRO DRYRUN ENABLE REALLOCATE DEALLOCATE FINISH LET FILTER NEXT"
)

# the time limit does not reach an engine's parser: nested CASEs cost LadybugDB 2^n
DEEPEST, CASES = 40, 8


@dataclass(frozen=True)
class Checked:
    """A statement that may be run: its tokens, without comments and the final semicolon."""

    tokens: list[Token]
    limited: bool  # its last RETURN has a LIMIT, or it is a UNION


def check(cypher: str, dialect: Dialect, *, write: bool = False) -> Checked:
    """The statement, read; raises Refused with place, word and remedy if it may not be run.

    With ``write`` it may also change nodes and relationships. Schema changes,
    files, the network and administration stay refused.
    """
    tokens = tokens_of(cypher)
    while tokens and tokens[-1].text == ";":
        tokens.pop()
    if not tokens:
        raise Refused("the statement is empty; for example: MATCH (n) RETURN n LIMIT 10")
    _Reader(cypher, tokens, dialect, write).read()
    top = [token.word for token in _outermost(tokens)]
    last = max((k for k, word in enumerate(top) if word == "RETURN"), default=-1)
    limited = "UNION" in top or last < 0 or "LIMIT" in top[last:]
    return Checked(tokens, limited)


def _outermost(tokens: list[Token]) -> list[Token]:
    depth, out = 0, []
    for token in tokens:
        if token.kind == "mark" and token.text in "([{":
            depth += 1
        elif token.kind == "mark" and token.text in ")]}":
            depth -= 1
        elif depth == 0:
            out.append(token)
    return out


class _Reader:
    """Walks the tokens and keeps one bit: is a value complete, or is one expected?"""

    def __init__(self, cypher: str, tokens: list[Token], dialect: Dialect, write: bool) -> None:
        self.cypher, self.tokens, self.dialect, self.write = cypher, tokens, dialect, write
        self.clauses = READ | WRITE if write else READ
        self.openings = OPENING | {"CREATE", "MERGE"} if write else OPENING
        self.names = set(label_positions(tokens))
        self.open_marks: list[str] = []  # "(", "[", "{" (a map) or "{}" (a subquery)
        self.complete = False
        self.procedures: set[int] = set()  # positions of names that follow CALL
        self.cases = 0

    def read(self) -> None:
        self.begin_query(0)
        for k, token in enumerate(self.tokens):
            if k in self.names or k in self.procedures or self.is_key(k) or self.after_dot(k):
                self.complete = True
            elif token.kind == "word":
                self.word(k, token)
            elif token.kind == "mark":
                self.mark(k, token)
            elif token.kind == "name" and not self.complete and self.peek(k + 1).text == "(":
                self.call(k)
            else:
                self.complete = True
        if self.open_marks:
            self.refuse(len(self.tokens) - 1, f"{self.open_marks[-1][0]!r} is not closed")

    def peek(self, k: int) -> Token:
        return self.tokens[k] if 0 <= k < len(self.tokens) else Token("mark", "", len(self.cypher))

    def refuse(self, k: int, why: str) -> None:
        raise Refused(f"{place(self.cypher, self.peek(k).at)}: {why}")

    def begin_query(self, k: int) -> None:
        token = self.peek(k)
        inside = bool(self.open_marks)
        if token.word not in self.openings and not (inside and token.text == "("):
            self.refuse(k, self.why_not(token))

    def why_not(self, token: Token) -> str:
        word = token.word or token.text
        if word in WRITE and not self.write:
            return f"{word} would change the graph; it needs --write (write=True)"
        if word in FORBIDDEN:
            return (
                f"{word} is not allowed: statements here read the graph and nothing else;"
                f" put it in back-ticks if it is a name"
            )
        allowed = " ".join(sorted(self.clauses))
        return f"{word!r} is not allowed here; a statement is made of {allowed}"

    def is_key(self, k: int) -> bool:
        """A map's key, or a property picked in a map projection."""
        if self.tokens[k].kind not in ("word", "name") or self.open_marks[-1:] != ["{"]:
            return False
        after = self.peek(k + 1).text
        return self.peek(k - 1).text in ("{", ",") and after in (":", ",", "}")

    def after_dot(self, k: int) -> bool:
        if self.tokens[k].kind not in ("word", "name") or self.peek(k - 1).text != ".":
            return False
        if self.peek(k + 1).text == "(":
            self.call(k)
        return True

    def word(self, k: int, token: Token) -> None:
        word, after = token.word, self.peek(k + 1)
        if word in FORBIDDEN and word not in self.clauses:
            self.refuse(k, self.why_not(token))
        self.cases += (word == "CASE") - (word == "END")
        self.refuse_depth(k)
        if word == "CALL":
            self.procedure(k)
        if word == "UNION":
            more = self.peek(k + 1).word in ("ALL", "DISTINCT")
            self.begin_query(k + 2 if more else k + 1)
        if word in self.clauses:
            self.complete = False
        elif self.complete:
            if word not in _CONTINUE:
                self.refuse(k, self.why_not(token))
            self.complete = not _CONTINUE[word]
        elif after.text == "(" and word not in _NOT_FUNCTIONS - {"ALL", "ANY"}:
            self.call(k)
        else:
            self.complete = word not in _BEGIN

    def call(self, k: int) -> None:
        """A function's name ends here; it must be one that only computes."""
        first = k
        while self.peek(first - 1).text == "." and first >= 2:
            first -= 2
        parts = self.tokens[first : k + 1]
        name = "".join(part.text for part in parts).lower()
        if any(part.kind == "name" for part in parts) or name not in FUNCTIONS[self.dialect]:
            self.refuse(
                first,
                f"the function {name}() is not allowed; see docs/cypher.md for those that are",
            )
        self.complete = True

    def procedure(self, k: int) -> None:
        after = self.peek(k + 1)
        if after.kind == "mark" and after.text in ("{", "(") and self.dialect != "embedded":
            return
        name, at = after.text.lower(), k + 1
        self.procedures.add(at)
        while self.peek(at + 1).text == ".":
            name += "." + self.peek(at + 2).text.lower()
            at += 2
            self.procedures |= {at - 1, at}
        if after.kind != "word" or name not in PROCEDURES[self.dialect]:
            self.refuse(k, f"CALL {name} is not allowed: procedures can reach outside the graph")
        if self.peek(at + 1).text == "=":
            self.refuse(k, "CALL may not change a setting")

    def mark(self, k: int, token: Token) -> None:
        text = token.text
        if text == ";":
            self.refuse(k, "one statement at a time; remove what follows the semicolon")
        elif text in ("(", "["):
            self.open_marks.append(text)
            self.refuse_depth(k)
            self.complete = False
        elif text == "{":
            self.brace(k)
        elif text in (")", "]", "}"):
            opened = self.open_marks.pop() if self.open_marks else "nothing"
            if {"(": ")", "[": "]", "{": "}", "{}": "}"}.get(opened) != text:
                self.refuse(k, f"{text!r} closes {opened!r}")
            self.complete = True
        elif text == ".":
            self.dot(k)
        elif text == "*":
            self.complete = not self.complete  # all columns, or times
        else:
            self.complete = False

    def brace(self, k: int) -> None:
        """A map, the repeat count of a pattern, or a subquery."""
        if self.opens_subquery(k):
            self.open_marks.append("{}")
            self.begin_query(k + 1)
        else:
            first, second = self.peek(k + 1), self.peek(k + 2).text
            is_map = first.kind in ("word", "name") and second in (":", ",", "}")
            if not (is_map or first.kind == "number" or first.text in ("}", ".", ",")):
                self.refuse(k + 1, f"{first.text!r} cannot begin a map; write {{key: value}}")
            self.open_marks.append("{")
        self.refuse_depth(k)
        self.complete = False

    def refuse_depth(self, k: int) -> None:
        if len(self.open_marks) > DEEPEST or self.cases > CASES:
            self.refuse(k, f"nested deeper than {DEEPEST} brackets or {CASES} CASEs")

    def opens_subquery(self, k: int) -> bool:
        before = self.peek(k - 1)
        if before.word in _SUBQUERY:
            return True
        # CALL (a, b) { ... }
        at = k - 1
        if before.text != ")":
            return False
        while at >= 0 and self.peek(at).text != "(":
            at -= 1
        return self.peek(at - 1).word == "CALL"

    def dot(self, k: int) -> None:
        before, after = self.peek(k - 1), self.peek(k + 1)
        joined = self.complete or before.text in ("{", ",")
        named = after.kind in ("word", "name") or (after.text == "*" and before.text in ("{", ","))
        if not (joined and named) or (before.kind == "number"):
            self.refuse(k, "a dot joins a value and the name of its property")
