"""Asking a store line by line, with history and completion from its schema."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory
from rich.console import Console
from rich.text import Text

from trefoil.data.command import reason
from trefoil.data.errors import StoreError
from trefoil.data.files import cache_folder
from trefoil.kg.cypher.functions import FUNCTIONS
from trefoil.kg.cypher.names import quoted
from trefoil.kg.shell.picture import write_picture
from trefoil.kg.shell.questions import QUESTIONS, ask_named
from trefoil.kg.shell.show import show, show_questions, show_schema
from trefoil.kg.stores.base import Answer, GraphStore, Schema

KEYWORDS = (
    "MATCH", "OPTIONAL MATCH", "WHERE", "RETURN", "RETURN DISTINCT", "WITH", "ORDER BY", "LIMIT",
    "SKIP", "UNWIND", "UNION", "AND", "OR", "NOT", "IN", "AS", "DESC", "STARTS WITH", "ENDS WITH",
    "CONTAINS", "IS NULL", "IS NOT NULL", "CASE WHEN", "EXISTS {", "COUNT {",
)  # fmt: skip
COMMANDS = (":schema", ":questions", ":ask", ":picture", ":help", ":quit")
HELP = """\
Type a Cypher statement, or
  :schema               labels, relationship types and properties
  :questions            named questions and their arguments
  :ask NAME key=value   ask one of them
  :picture FILE.html    draw the nodes, relationships and paths of the last answer
  :quit                 leave (or Ctrl-D)"""


class CypherCompleter(Completer):
    """Labels after a colon in parentheses, types in brackets, properties after a dot, words."""

    def __init__(self, schema: Schema, dialect: str) -> None:
        self.schema = schema
        self.words = [*KEYWORDS, *(f"{name}(" for name in sorted(FUNCTIONS[dialect]))]

    def get_completions(self, document: Document, _: CompleteEvent) -> Iterator[Completion]:
        before = document.text_before_cursor
        for text, begun in self.found(before):
            yield Completion(text, start_position=-len(begun))

    def found(self, before: str) -> list[tuple[str, str]]:
        """What may stand next, each with the part of it that is there already."""
        if before.startswith(":"):
            return _beginning(before, self._command(before))
        if begun := re.search(r"[:|&!]\s*`?([\w ]*)$", before):
            inside = max(before.rfind("("), before.rfind("["))
            types = inside >= 0 and before[inside] == "["
            names = self.schema.types if types else self.schema.labels
            return _beginning(begun[1], map(_name, names))
        if begun := re.search(r"[\w`\])]\.`?(\w*)$", before):
            return _beginning(begun[1], map(_name, self.schema.properties))
        begun = re.search(r"(\w*)$", before)
        return _beginning(begun[1], self.words) if begun and begun[1] else []

    def _command(self, before: str) -> Iterable[str]:
        if before.startswith(":ask "):
            name, _, rest = before[5:].partition(" ")
            if name in QUESTIONS and rest is not None:
                done = before[: before.rfind(" ") + 1]
                return [f"{done}{key}=" for key in QUESTIONS[name].arguments]
            return [f":ask {question}" for question in QUESTIONS]
        return COMMANDS


def _beginning(begun: str, names: Iterable[str]) -> list[tuple[str, str]]:
    low = begun.lower()
    return [(name, begun) for name in names if name.lower().lstrip("`").startswith(low)]


def _name(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII) else quoted(name)


class Conversation:
    """What each line of the prompt does; kept apart from the terminal."""

    def __init__(
        self, store: GraphStore, console: Console, *, limit: int, write: bool, format: str
    ) -> None:
        self.store, self.console = store, console
        self.limit, self.write, self.format = limit, write, format
        self.last: Answer | None = None

    def line(self, text: str) -> bool:
        """Answer one line; False ends the conversation."""
        text = text.strip()
        if text in (":quit", ":q", ":exit"):
            return False
        try:
            if text.startswith(":"):
                self._command(*text.split())
            elif text:
                self._answer(self.store.ask(text, limit=self.limit, write=self.write))
        except StoreError as fault:
            self.console.print(Text(str(fault), style="red"))
        except OSError as fault:  # of the picture's place
            self.console.print(Text(reason(fault), style="red"))
        return True

    def _answer(self, answer: Answer) -> None:
        self.last = answer
        show(answer, self.format, self.console)

    def _command(self, name: str, *rest: str) -> None:
        if name == ":schema":
            show_schema(self.store.schema(), self.console)
        elif name == ":questions":
            show_questions(self.console)
        elif name == ":ask" and rest:
            self._answer(ask_named(self.store, rest[0], arguments_of(rest[1:])))
        elif name == ":picture" and len(rest) == 1:
            if self.last is None:
                raise StoreError("ask something first: the last answer is what is drawn")
            drawing = write_picture(self.last.table, rest[0])
            self.console.print(f"{rest[0]}: {len(drawing.nodes)} nodes", markup=False, emoji=False)
        else:
            self.console.print(HELP, highlight=False)


def arguments_of(pairs: Iterable[str]) -> dict[str, str]:
    """``key=value`` texts as a mapping. Raises StoreError."""
    out = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise StoreError(f"{pair!r}: write an argument as key=value")
        out[key] = value
    return out


def converse(store: GraphStore, console: Console, *, limit: int, write: bool, format: str) -> None:
    """Prompt until the end; an interrupted line starts again."""
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    session: PromptSession[str] = PromptSession(
        history=FileHistory(str(cache / "explore-history")),
        completer=CypherCompleter(store.schema(), store.dialect),
        complete_while_typing=True,
    )
    console.print(HELP, highlight=False)
    conversation = Conversation(store, console, limit=limit, write=write, format=format)
    while True:
        try:
            text = session.prompt("cypher! " if write else "cypher> ")
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
        if not conversation.line(text):
            return
