"""Asking a store line by line, with history and completion from its schema."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.key_binding.key_processor import KeyPressEvent
from rich.console import Console
from rich.text import Text

from trefoil.data.errors import StoreError
from trefoil.data.files import cache_folder, reason
from trefoil.kg.cypher.functions import FUNCTIONS, words
from trefoil.kg.cypher.names import quoted
from trefoil.kg.cypher.tokens import tokens_of
from trefoil.kg.shell.hints import hints
from trefoil.kg.shell.picture import write_picture
from trefoil.kg.shell.questions import QUESTIONS, ask_named
from trefoil.kg.shell.show import FORMATS, show, show_questions, show_schema
from trefoil.kg.stores.base import Answer, GraphStore, Schema

KEYWORDS = (
    "MATCH", "OPTIONAL MATCH", "WHERE", "RETURN", "RETURN DISTINCT", "WITH", "ORDER BY", "LIMIT",
    "SKIP", "UNWIND", "UNION", "AND", "OR", "NOT", "IN", "AS", "DESC", "STARTS WITH", "ENDS WITH",
    "CONTAINS", "IS NULL", "IS NOT NULL", "CASE WHEN", "EXISTS {", "COUNT {",
)  # fmt: skip
COMMANDS = (
    ":schema", ":questions", ":ask", ":param", ":format", ":picture", ":help", ":quit",
)  # fmt: skip
HELP = """\
Type a Cypher statement: it goes on over lines until it returns something, or ends
with ; or an empty line (Alt-Enter adds a line). Ctrl-C stops a statement. Or type
  :schema               labels, relationship types and properties
  :questions            named questions and their arguments
  :ask NAME key=value   ask one of them
  :param key=value      give $key a value (a number, true, "text", [1, 2]); alone, list them
  :format NAME          table, lines (whole cells), json or csv
  :picture FILE.html    draw the nodes, relationships and paths of the last answer
  :quit                 leave (or Ctrl-D)"""
_ENDS = words("RETURN CREATE MERGE SET DELETE REMOVE")  # with one of these a statement is whole


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
        self.parameters: dict[str, Any] = {}

    def line(self, text: str) -> bool:
        """Answer one line; False ends the conversation."""
        text = text.strip()
        if text in (":quit", ":q", ":exit"):
            return False
        try:
            if text.startswith(":"):
                self._command(*text.split())
            elif text:
                given = {name: self.parameters[name] for name in used(text) & {*self.parameters}}
                self._answer(self.store.ask(text, given, limit=self.limit, write=self.write))
                for hint in hints(text, self.store.schema()):
                    self.console.print(Text(hint, style="yellow"))
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
        elif name == ":param":
            self._parameter(" ".join(rest))
        elif name == ":format" and len(rest) == 1 and rest[0] in FORMATS:
            self.format = rest[0]
        elif name == ":format":
            raise StoreError(f"write :format with one of {', '.join(FORMATS)}")
        elif name == ":ask" and rest:
            given = arguments_of(rest[1:])
            self._answer(ask_named(self.store, rest[0], given, limit=self.limit))
        elif name == ":picture" and len(rest) == 1:
            if self.last is None:
                raise StoreError("ask something first: the last answer is what is drawn")
            drawing = write_picture(self.last.table, rest[0])
            self.console.print(f"{rest[0]}: {len(drawing.nodes)} nodes", markup=False, emoji=False)
        else:
            self.console.print(HELP, highlight=False)

    def _parameter(self, pair: str) -> None:
        if pair:
            ((name, text),) = arguments_of([pair]).items()
            self.parameters[name.strip().lstrip("$")] = valued(text.strip())
        for name, value in self.parameters.items():
            self.console.print(Text(f"${name} = {json.dumps(value, ensure_ascii=False)}"))


def valued(text: str) -> Any:
    """A parameter as it was written: JSON where it is that, else the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def used(cypher: str) -> set[str]:
    """Names of the parameters in a statement; none where it cannot be read."""
    try:
        return {
            token.text[1:].strip("`") for token in tokens_of(cypher) if token.kind == "parameter"
        }
    except StoreError:
        return set()


def is_whole(text: str) -> bool:
    """Whether Enter should send a text: a command, an end by ``;``, or a statement that returns."""
    bare = text.strip()
    if not bare or bare.startswith(":") or bare.endswith(";") or text.endswith("\n"):
        return True
    try:
        tokens = tokens_of(bare)
    except StoreError:
        return text.count("\n") == 0 and not _open_quote(bare)
    marks = [token.text for token in tokens if token.kind == "mark"]
    closed = sum(m in "([{" for m in marks) <= sum(m in ")]}" for m in marks)
    return closed and any(token.word in _ENDS for token in tokens)


def _open_quote(text: str) -> bool:
    return any(text.count(quote) % 2 for quote in "'\"`")


def _keys() -> KeyBindings:
    bindings = KeyBindings()

    @bindings.add("enter")
    def _(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if is_whole(buffer.text):
            buffer.validate_and_handle()
        else:
            buffer.insert_text("\n")

    @bindings.add("escape", "enter")
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    return bindings


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
    """Prompt until the end; Ctrl-C gives up a line, or stops the statement that runs."""
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    session: PromptSession[str] = PromptSession(
        history=FileHistory(str(cache / "explore-history")),
        completer=CypherCompleter(store.schema(), store.dialect),
        complete_while_typing=True,
        multiline=True,
        key_bindings=_keys(),
        prompt_continuation="      > ",
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
        try:
            if not conversation.line(text):
                return
        except KeyboardInterrupt:
            console.print(Text("stopped", style="red"))
