"""What RDF and tables become: distinct statements as integer columns, literals kept as written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trefoil.data.interactions import Ints
from trefoil.data.report import Quarantined
from trefoil.data.vocabulary import Vocabulary

TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
SAME_AS = "http://www.w3.org/2002/07/owl#sameAs"

LITERALS = {
    "entity": pl.Int64,
    "predicate": pl.Int64,
    "value": pl.String,
    "datatype": pl.String,
    "language": pl.String,
}


def no_literals() -> pl.DataFrame:
    return pl.DataFrame(schema=LITERALS)


@dataclass(frozen=True)
class Triples:
    """Distinct statements, in one order that does not depend on files or lines.

    ``head``, ``relation``, ``tail`` are rows of statements between entities,
    sorted by (head, relation, tail); ``entities`` and ``relations`` are sorted
    by text. An entity is an IRI, or a name from a table; a blank node has an
    IRI ``urn:trefoil:blank:...`` made from what is said of it.

    ``member`` (n x 2) are rows (entity, class) of ``rdf:type`` statements into
    ``classes``. ``literals`` has one row per literal statement: rows of
    ``entities`` and ``predicates``, and value, datatype IRI and language exactly
    as written ("" for ``xsd:string`` and for no language). ``names`` are those
    of tables; ``aliases`` lead from an IRI that was merged to the one kept.
    """

    head: Ints
    relation: Ints
    tail: Ints
    entities: Vocabulary
    relations: Vocabulary
    member: Ints = field(default_factory=lambda: np.zeros((0, 2), np.int64))
    classes: Vocabulary = field(default_factory=lambda: Vocabulary(()))
    literals: pl.DataFrame = field(default_factory=no_literals)
    predicates: Vocabulary = field(default_factory=lambda: Vocabulary(()))
    names: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    quarantined: tuple[Quarantined, ...] = ()

    def __post_init__(self) -> None:
        if not len(self.head) == len(self.relation) == len(self.tail):
            raise ValueError("head, relation and tail differ in length")
        for name, rows, size in (
            ("head", self.head, len(self.entities)),
            ("tail", self.tail, len(self.entities)),
            ("relation", self.relation, len(self.relations)),
            ("member", self.member[:, 0], len(self.entities)),
            ("class", self.member[:, 1], len(self.classes)),
        ):
            if len(rows) and not (rows.min() >= 0 and rows.max() < size):
                raise ValueError(f"{name} rows point outside 0..{size - 1}")

    def __len__(self) -> int:
        """Statements of every kind."""
        return len(self.head) + len(self.member) + len(self.literals)


@dataclass(frozen=True)
class Columns:
    """Statements before they are numbered: term texts, and rows (subject, predicate, object).

    A term is ``<iri>``, ``_:label`` or a literal in N-Triples form without escapes.
    """

    terms: pl.Series
    rows: NDArray[np.integer]


def assemble(
    columns: Columns,
    *,
    names: Mapping[str, str] | None = None,
    aliases: Mapping[str, str] | None = None,
    counts: Mapping[str, int] | None = None,
    quarantined: Sequence[Quarantined] = (),
) -> Triples:
    """Number the terms by text, sort the statements, and remove duplicates.

    Blank nodes must have been named before (see ``kg.triples.blank_nodes``).
    """
    tally = Counter(counts or {})
    terms, rows = columns.terms, columns.rows
    literal = terms.str.starts_with('"').to_numpy()
    total = len(rows)
    tally["statements"] += total
    typing = terms == f"<{TYPE}>"
    said, typed = literal[rows[:, 2]], typing.to_numpy()[rows[:, 1]]
    plain, attributes, types = rows[~said & ~typed], rows[said], rows[~said & typed]
    del rows, said, typed, columns
    entities, entity = _numbered(terms, plain[:, 0], plain[:, 2], attributes[:, 0], types[:, 0])
    relations, relation = _numbered(terms, plain[:, 1])
    classes, klass = _numbered(terms, types[:, 2])
    predicates, predicate = _numbered(terms, attributes[:, 1])
    edges = distinct(entity[plain[:, 0]], relation[plain[:, 1]], entity[plain[:, 2]])
    member = distinct(entity[types[:, 0]], klass[types[:, 2]])
    literals = _literals(terms, attributes, entity, predicate)
    kept = len(edges) + len(member) + len(literals)
    tally["duplicates"] += total - kept
    heads, kinds, tails = np.ascontiguousarray(edges.T)
    return Triples(
        heads,
        kinds,
        tails,
        entities,
        relations,
        member,
        classes,
        literals,
        predicates,
        names or {},
        aliases or {},
        {reason: n for reason, n in sorted(tally.items()) if n},
        tuple(quarantined),
    )


def distinct(*columns: Ints) -> Ints:
    """Distinct rows of some columns of non-negative integers, sorted."""
    sizes = [int(column.max(initial=0)) + 1 for column in columns]
    if np.prod([float(size) for size in sizes]) >= 2.0**62:
        return np.unique(np.stack(columns, axis=1), axis=0)
    key = columns[0].astype(np.int64)
    for column, size in zip(columns[1:], sizes[1:], strict=True):
        key *= size
        key += column
    key.sort()  # np.unique hashes, and takes ten times as long
    key = key[np.concatenate([[True], key[1:] != key[:-1]])] if len(key) else key
    parts = []
    for size in reversed(sizes[1:]):
        key, rest = np.divmod(key, size)
        parts.append(rest)
    return np.stack([key, *reversed(parts)]).T


def _numbered(terms: pl.Series, *uses: NDArray[np.integer]) -> tuple[Vocabulary, Ints]:
    """The IRIs of the terms in use, sorted; and the row of each term in them (-1 unused)."""
    used = np.zeros(len(terms), bool)
    for rows in uses:
        used[rows] = True
    at = np.flatnonzero(used)
    texts = terms.gather(at).str.strip_prefix("<").str.strip_suffix(">")
    order = texts.arg_sort().to_numpy()
    row = np.full(len(terms), -1, np.int64)
    row[at[order]] = np.arange(len(at))
    return Vocabulary(texts.gather(order).to_list()), row


def _literals(
    terms: pl.Series, rows: NDArray[np.integer], entity: Ints, predicate: Ints
) -> pl.DataFrame:
    if not len(rows):
        return no_literals()
    at, inverse = np.unique(rows[:, 2], return_inverse=True)
    order = terms.gather(at).arg_sort().to_numpy()
    rank = np.empty(len(at), np.int64)
    rank[order] = np.arange(len(at))
    sorted_rows = distinct(entity[rows[:, 0]], predicate[rows[:, 1]], rank[inverse])
    parts = literal_parts(terms.gather(at[order]))
    return pl.DataFrame({"entity": sorted_rows[:, 0], "predicate": sorted_rows[:, 1]}).hstack(
        parts[sorted_rows[:, 2]]
    )


def literal_parts(texts: pl.Series) -> pl.DataFrame:
    """value, datatype ("" for ``xsd:string``) and language ("" for none) of literal terms."""
    tail = texts.str.extract(r'"(@[^"]*|\^\^<[^"]*>)?$', 1).fill_null("")
    value = texts.str.slice(1, texts.str.len_chars() - tail.str.len_chars() - 2)
    typed, tagged = tail.str.starts_with("^"), tail.str.starts_with("@")
    datatype = tail.str.slice(3).str.strip_suffix(">").zip_with(typed, pl.Series([""]))
    return pl.DataFrame(
        {
            "value": value,
            "datatype": datatype,
            "language": tail.str.slice(1).zip_with(tagged, pl.Series([""])),
        }
    )


def union(parts: Sequence[Triples]) -> Triples:
    """All statements, distinct, their entities and relations numbered anew, in any order."""
    if len(parts) == 1:
        return parts[0]
    entities = _all(part.entities for part in parts)
    relations = _all(part.relations for part in parts)
    classes = _all(part.classes for part in parts)
    predicates = _all(part.predicates for part in parts)
    edges, members, literals = [], [], []
    for part in parts:
        entity = entities.rows(part.entities)
        relation = relations.rows(part.relations)
        edges.append(np.stack([entity[part.head], relation[part.relation], entity[part.tail]]))
        klass = classes.rows(part.classes)
        members.append(np.stack([entity[part.member[:, 0]], klass[part.member[:, 1]]]))
        predicate = predicates.rows(part.predicates)
        literals.append(
            part.literals.with_columns(
                entity=pl.Series(entity[part.literals["entity"].to_numpy()], dtype=pl.Int64),
                predicate=pl.Series(
                    predicate[part.literals["predicate"].to_numpy()], dtype=pl.Int64
                ),
            )
        )
    edge, member = distinct(*_side(edges)), distinct(*_side(members))
    literal = pl.concat(literals).unique().sort(pl.all())
    counts = sum((Counter(part.counts) for part in parts), Counter())
    total = sum(len(part) for part in parts)
    counts["duplicates"] += total - len(edge) - len(member) - len(literal)
    head, relation_, tail = np.ascontiguousarray(edge.T)
    return Triples(
        head,
        relation_,
        tail,
        entities,
        relations,
        member,
        classes,
        literal,
        predicates,
        names={k: v for part in reversed(parts) for k, v in part.names.items()},
        aliases={k: v for part in reversed(parts) for k, v in part.aliases.items()},
        counts={reason: n for reason, n in sorted(counts.items()) if n},
        quarantined=tuple(bad for part in parts for bad in part.quarantined),
    )


def _all(vocabularies: Iterable[Vocabulary]) -> Vocabulary:
    return Vocabulary(sorted(set().union(*(one.ids for one in vocabularies))))


def _side(blocks: list[Ints]) -> Ints:
    return np.concatenate(blocks, axis=1)
