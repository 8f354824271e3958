"""JSON-LD: contexts that are named are put in from files at hand; nothing is fetched."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from trefoil.data.compression import open_bytes
from trefoil.data.errors import GraphDataError
from trefoil.kg.triples.foreign import refuse_foreign_json
from trefoil.kg.triples.safety import Limits, too_deep

_FOLDER = Path(__file__).parent / "contexts"
_INSIDE = 8  # contexts that may name one another in turn

_JSON = re.compile(r'(?P<text>"[^"\\]*(?:\\.[^"\\]*)*")|(?P<open>[\[{])|(?P<close>[\]}])', re.S)


class Contexts:
    """Context documents by the address that JSON-LD names them by.

    ``given`` are local files, by address; those that come with the package are listed in
    ``contexts/addresses.json``. An address means the same with http or https, and with
    or without ``www.`` and a last ``/``.
    """

    def __init__(self, given: Mapping[str, Path | str], limits: Limits) -> None:
        self._limits = limits
        self._paths = {_bare(address): Path(path) for address, path in given.items()}
        self._known: dict[str, Any] = {}

    def __getitem__(self, address: str) -> Any:
        """What stands under ``@context``; KeyError where the address is unknown.

        Raises GraphDataError where the file is missing or holds no context.
        """
        bare = _bare(address)
        if bare not in self._known:
            path = self._paths.get(bare) or _FOLDER / _packaged()[bare]
            self._known[bare] = self._read(path)
        return self._known[bare]

    def _read(self, path: Path) -> Any:
        with open_bytes(path, GraphDataError) as stream:
            text = _read_text(str(path), stream, self._limits)
        document = _parsed(str(path), text, None)
        if not isinstance(document, dict) or "@context" not in document:
            raise GraphDataError(f"{path}: a context document holds one object with @context")
        return document["@context"]


def _bare(address: str) -> str:
    return re.sub(r"^https?://(www\.)?", "", address).rstrip("/#")


def _packaged() -> dict[str, str]:
    names: dict[str, list[str]] = json.loads((_FOLDER / "addresses.json").read_text("utf-8"))
    return {address: file for file, several in names.items() for address in several}


def checked_json(name: str, stream: IO[bytes], limits: Limits, contexts: Contexts) -> bytes:
    """A JSON-LD document, every context it names written in it.

    Raises GraphDataError where one is unknown, and for what ``limits`` do not allow.
    """
    text = _read_text(name, stream, limits)
    document = _parsed(name, text)
    refuse_foreign_json(name, document)
    if not any(True for _ in _addresses(document)):
        return text.encode()
    # Numbers keep their form: as marked texts there and back.
    mark = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
    document = _parsed(name, text, mark)
    filled = _Filling(contexts, set(_words(document))).value(document)
    for address in _addresses(filled):
        at = text.find(json.dumps(address))
        where = f", line {_line(text, at)}" if at >= 0 else ""
        raise GraphDataError(
            f"{name}{where}: the context {address!r} lies outside the file, and nothing is "
            f"fetched; give a copy of it: contexts={{{address!r}: FILE}}, or [graph.contexts] in "
            "dataset.toml; or write its terms into @context"
        )
    return re.sub(rf'"{mark}([^"]+)"', r"\1", json.dumps(filled)).encode()


def _read_text(name: str, stream: IO[bytes], limits: Limits) -> str:
    content = stream.read(limits.document + 1)
    if len(content) > limits.document:
        raise GraphDataError(
            f"{name}: JSON-LD is read whole, and this is larger than {limits.document} bytes; "
            "split it, or convert it to N-Triples"
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise GraphDataError(f"{name}, line {line}: not UTF-8 ({error.reason})") from None
    depth = 0
    for match in _JSON.finditer(text):
        kind = match.lastgroup
        depth += (kind == "open") - (kind == "close")
        if depth > limits.depth:
            raise GraphDataError(too_deep(name, _line(text, match.start()), limits.depth))
        if kind == "text" and match.end() - match.start() > limits.literal + 2:
            raise GraphDataError(
                f"{name}, line {_line(text, match.start())}: a text of "
                f"{match.end() - match.start()} characters; the limit is {limits.literal}"
            )
    return text


def _parsed(name: str, text: str, mark: str | None = "") -> Any:
    """The document; each number as text, after a mark, or as it is where the mark is None."""
    try:
        if mark is None:
            return json.loads(text)
        return json.loads(text, parse_int=mark.__add__, parse_float=mark.__add__)
    except ValueError as error:
        raise GraphDataError(f"{name}: not valid JSON: {error}") from None


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def _addresses(document: Any) -> Iterator[str]:
    """Every context that is named rather than written out."""
    rest = [document]
    while rest:
        value = rest.pop()
        if isinstance(value, list):
            rest.extend(value)
        if not isinstance(value, dict):
            continue
        rest.extend(value.values())
        given = value.get("@context")
        for context in given if isinstance(given, list) else [given]:
            if isinstance(context, str):
                yield context
            elif isinstance(context, dict) and isinstance(context.get("@import"), str):
                yield context["@import"]


def _words(document: Any) -> Iterator[str]:
    """Keys and texts of a document, and what stands before a colon in them."""
    rest = [document]
    while rest:
        value = rest.pop()
        if isinstance(value, list):
            rest.extend(value)
        elif isinstance(value, dict):
            rest.extend(value)
            rest.extend(value.values())
        elif isinstance(value, str):
            yield value
            yield value.partition(":")[0]


class _Filling:
    """A document with its named contexts put in, reduced to the terms that it uses.

    A whole context at every place that names it would make a page of many parts huge.
    """

    def __init__(self, contexts: Contexts, words: set[str]) -> None:
        self._contexts, self._words, self._open = contexts, words, 0

    def value(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.value(one) for one in value]
        if not isinstance(value, dict):
            return value
        return {
            key: self._context(one) if key == "@context" else self.value(one)
            for key, one in value.items()
        }

    def _context(self, context: Any) -> Any:
        if isinstance(context, list):
            filled = [self._context(one) for one in context]
            return [part for one in filled for part in (one if isinstance(one, list) else [one])]
        if isinstance(context, str):
            return self._named(context)
        if isinstance(context, dict) and isinstance(context.get("@import"), str):
            found = self._named(context["@import"])
            if isinstance(found, dict):
                context = found | {key: one for key, one in context.items() if key != "@import"}
        return self.value(context)

    def _named(self, address: str) -> Any:
        """The context behind an address; the address itself where it is unknown."""
        try:
            found = self._contexts[address]
        except KeyError:
            return address
        if self._open >= _INSIDE:
            return address
        self._open += 1
        found = self._context(self._used(found) if isinstance(found, dict) else found)
        self._open -= 1
        return found

    def _used(self, context: dict[str, Any]) -> dict[str, Any]:
        """The terms of a context that occur in the document, and those they are made of."""
        wanted, rest = set(), [key for key in context if key.startswith("@")]
        rest += [word for word in self._words if word in context]
        while rest:
            key = rest.pop()
            if key not in wanted:
                wanted.add(key)
                rest += [word for word in _words(context[key]) if word in context]
        return {key: one for key, one in context.items() if key in wanted}
