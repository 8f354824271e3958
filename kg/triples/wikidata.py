"""A graph from nothing: items with known identifiers, looked up in Wikidata by SPARQL.

Works with any endpoint that holds Wikidata's model (QLever, a private
Blazegraph, a local store). Answers are cached by the digest of their query, so
that a look-up that was broken off goes on where it stopped. Nothing is asked
until ``fetch`` is called.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from trefoil.data.errors import GraphDataError
from trefoil.data.files import write_file
from trefoil.data.progress import Progress
from trefoil.kg.triples.identifiers import QID, SCHEMES, refuse_odd
from trefoil.kg.triples.statements import from_statements
from trefoil.kg.triples.triples import TYPE, Triples

log = logging.getLogger(__name__)

ENDPOINT = "https://query.wikidata.org/sparql"
ENTITY = "http://www.wikidata.org/entity/"
DIRECT = "http://www.wikidata.org/prop/direct/"
LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
DESCRIPTION = "http://schema.org/description"

RELATIONS: Mapping[str, str] = {
    "P50": "author",
    "P57": "director",
    "P58": "screenwriter",
    "P86": "composer",
    "P123": "publisher",
    "P135": "movement",
    "P136": "genre",
    "P144": "based on",
    "P155": "follows",
    "P161": "cast member",
    "P162": "producer",
    "P166": "award received",
    "P175": "performer",
    "P179": "part of the series",
    "P272": "production company",
    "P344": "director of photography",
    "P364": "original language",
    "P495": "country of origin",
    "P674": "characters",
    "P840": "narrative location",
    "P921": "main subject",
}


@dataclass(frozen=True)
class Wikidata:
    """A way to an endpoint: how much at once, how fast, and where answers are kept.

    ``pause_s`` is the least time between two requests. 429 and 5xx are tried
    again ``retries`` times, after what the server asks or 1, 2, 4 ... seconds.
    ``agent`` should name you and how to reach you, as Wikimedia's policy asks.
    """

    cache: Path | str
    endpoint: str = ENDPOINT
    agent: str = "trefoil (knowledge graph for a recommender)"
    batch: int = 200
    pause_s: float = 1.0
    timeout_s: float = 60.0
    retries: int = 5
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    _last: list[float] = field(default_factory=lambda: [float("-inf")], repr=False)

    def __post_init__(self) -> None:
        if not self.endpoint.startswith(("https://", "http://")):
            raise GraphDataError(f"{self.endpoint!r} is no http or https address of an endpoint")
        if self.batch < 1:
            raise GraphDataError(f"a batch of {self.batch} identifiers; take at least 1")

    def fetch(
        self,
        identifiers: Mapping[str, str],
        scheme: str = "qid",
        *,
        relations: Mapping[str, str] = RELATIONS,
        languages: Sequence[str] = ("en",),
        progress: Progress | None = None,
    ) -> tuple[Triples, pl.DataFrame]:
        """Triples about items, and the links of items to entities.

        ``identifiers`` leads from item id to identifier, all of one ``scheme``
        of ``SCHEMES``; ``relations`` are the properties to follow, with their
        names. The second value is a table (item, entity), as ``GraphSource.link``
        wants it. Items that the endpoint does not know are left out of it.
        Raises GraphDataError for an identifier that is none, before anything is
        asked, and where the endpoint fails for good.
        """
        refuse_odd(identifiers, scheme, relations, languages)
        qids = self._resolve(identifiers, scheme, progress)
        found = sorted(set(qids.values()))
        lines = list(self._facts(found, sorted(relations), progress))
        others = {_qid(o) for _, _, o in lines if o.startswith(ENTITY)} - set(found)
        known = sorted({*found, *(qid for qid in others if qid)})
        classes = list(self._classes(known, progress))
        kinds = {_qid(o) for _, _, o in classes} - {None}
        texts = list(self._texts(sorted({*known, *kinds}), languages, progress))  # type: ignore[type-var]
        link = pl.DataFrame(
            {"item": list(qids), "entity": [ENTITY + qid for qid in qids.values()]},
            schema={"item": pl.String, "entity": pl.String},
        )
        return _triples([*lines, *classes], texts, relations), link

    def _resolve(
        self, identifiers: Mapping[str, str], scheme: str, progress: Progress | None
    ) -> dict[str, str]:
        """QID of each item that is known; of several, the lowest number."""
        kind = SCHEMES[scheme]
        if kind.property is None:
            return dict(identifiers)
        written: dict[str, list[str]] = {}
        for item, text in identifiers.items():
            for form in kind.written(text):
                written.setdefault(form, []).append(item)
        out: dict[str, str] = {}
        for part in self._parts(sorted(written), "identifiers", progress):
            values = " ".join(f'"{text}"' for text in part)
            query = (
                f"SELECT ?value ?entity WHERE {{ VALUES ?value {{ {values} }} "
                f"?entity <{DIRECT}{kind.property}> ?value }}"
            )
            for row in self.select(query):
                qid = _qid(row.get("entity", ("", ""))[0])
                for item in written.get(row["value"][0], []) if qid else []:
                    out[item] = min(out.get(item, qid), qid, key=lambda q: int(q[1:]))  # type: ignore[arg-type]
        return {item: out[item] for item in identifiers if item in out}

    def _facts(
        self, qids: Sequence[str], properties: Sequence[str], progress: Progress | None
    ) -> Iterator[tuple[str, str, str]]:
        follow = " ".join(f"<{DIRECT}{one}>" for one in properties)
        for part in self._parts(qids, "facts", progress):
            query = (
                f"SELECT ?s ?p ?o WHERE {{ VALUES ?s {{ {_values(part)} }} "
                f"VALUES ?p {{ {follow} }} ?s ?p ?o FILTER(isIRI(?o)) }}"
            )
            for row in self.select(query):
                s, p, o = (row[name][0] for name in "spo")
                if _qid(s) and _qid(o) and p.removeprefix(DIRECT) in properties:
                    yield s, p, o

    def _classes(
        self, qids: Sequence[str], progress: Progress | None
    ) -> Iterator[tuple[str, str, str]]:
        for part in self._parts(qids, "classes", progress):
            query = (
                f"SELECT ?s ?o WHERE {{ VALUES ?s {{ {_values(part)} }} "
                f"?s <{DIRECT}P31> ?o FILTER(isIRI(?o)) }}"
            )
            for row in self.select(query):
                if _qid(row["s"][0]) and _qid(row["o"][0]):
                    yield row["s"][0], TYPE, row["o"][0]

    def _texts(
        self, qids: Sequence[str], languages: Sequence[str], progress: Progress | None
    ) -> Iterator[tuple[str, str, str, str]]:
        """Subject, property, text and language of labels and descriptions."""
        wanted = ", ".join(f'"{one}"' for one in languages)
        for part in self._parts(qids, "names", progress):
            query = (
                f"SELECT ?s ?p ?o WHERE {{ VALUES ?s {{ {_values(part)} }} "
                f"VALUES ?p {{ <{LABEL}> <{DESCRIPTION}> }} ?s ?p ?o "
                f"FILTER(LANG(?o) IN ({wanted})) }}"
            )
            for row in self.select(query):
                text, language = row["o"]
                if _qid(row["s"][0]) and row["p"][0] in (LABEL, DESCRIPTION):
                    yield row["s"][0], row["p"][0], text, language.lower()

    def _parts(
        self, rows: Sequence[str], what: str, progress: Progress | None
    ) -> Iterator[Sequence[str]]:
        for start in range(0, len(rows), self.batch):
            yield rows[start : start + self.batch]
            if progress is not None:
                progress(min(start + self.batch, len(rows)), len(rows), what)

    def select(self, query: str) -> list[dict[str, tuple[str, str]]]:
        """Rows of a SELECT as variable to (value, language), from the cache or the endpoint."""
        digest = hashlib.sha256(f"{self.endpoint}\n{query}".encode()).hexdigest()
        path = Path(self.cache) / f"{digest}.json"
        if path.exists():
            try:
                return _rows(path.read_bytes())
            except (ValueError, KeyError, TypeError, AttributeError):
                log.warning("%s is damaged; asking again", path)
        content = self._ask(query)
        try:
            rows = _rows(content)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise GraphDataError(
                f"{self.endpoint}: the answer is no SPARQL result in JSON "
                f"({content[:80]!r}); check the address"
            ) from None
        write_file(path, content)
        return rows

    def _ask(self, query: str) -> bytes:
        for attempt in range(self.retries + 1):
            wait = self._last[0] + self.pause_s - self.clock()
            if wait > 0:
                self.sleep(wait)
            self._last[0] = self.clock()
            try:
                with urllib.request.urlopen(self._request(query), timeout=self.timeout_s) as reply:
                    return reply.read()
            except urllib.error.HTTPError as fault:
                with fault:
                    reason, asked = f"status {fault.code}", fault.headers.get("Retry-After", "")
                    if fault.code != 429 and fault.code < 500:
                        said = fault.read(300).decode(errors="replace")
                        raise GraphDataError(
                            f"{self.endpoint}: {reason}: {said!r}; check address and rights"
                        ) from None
            except (urllib.error.URLError, OSError) as fault:
                reason, asked = str(getattr(fault, "reason", fault)), ""
            if attempt < self.retries:
                pause = float(asked) if asked.isdigit() else 2.0**attempt
                log.warning("%s: %s; again in %g s", self.endpoint, reason, min(pause, 300.0))
                self.sleep(min(pause, 300.0))
        raise GraphDataError(
            f"{self.endpoint}: no answer after {self.retries + 1} tries ({reason}); "
            f"run again later: what was answered is kept in {self.cache}"
        )

    def _request(self, query: str) -> urllib.request.Request:
        headers = {
            "Accept": "application/sparql-results+json",
            "Content-Type": "application/x-www-form-urlencoded",
            "User-Agent": self.agent,
        }
        data = urllib.parse.urlencode({"query": query}).encode()
        return urllib.request.Request(self.endpoint, data, headers)


def _values(qids: Iterable[str]) -> str:
    return " ".join(f"<{ENTITY}{qid}>" for qid in qids)


def _qid(iri: str) -> str | None:
    """The QID of an entity IRI; None for anything else, whatever an endpoint answers."""
    text = iri.removeprefix(ENTITY)
    return text if iri.startswith(ENTITY) and QID.fullmatch(text) else None


def _rows(content: bytes) -> list[dict[str, tuple[str, str]]]:
    document = json.loads(content)
    return [
        {name: (str(cell["value"]), str(cell.get("xml:lang", ""))) for name, cell in row.items()}
        for row in document["results"]["bindings"]
    ]


def _triples(
    lines: Sequence[tuple[str, str, str]],
    texts: Sequence[tuple[str, str, str, str]],
    relations: Mapping[str, str],
) -> Triples:
    """What was found, with names for relations and classes, which are numbers in Wikidata."""
    said = [(s, p, (o, "iri", "")) for s, p, o in lines]
    said += [(s, p, (text, "", language)) for s, p, text, language in texts]
    triples = from_statements(said)
    names = {DIRECT + code: name for code, name in relations.items()}
    names |= {s: text for s, p, text, _ in reversed(texts) if p == LABEL and s in triples.classes}
    return replace(triples, names=names)
