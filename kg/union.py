"""Several sets of triples as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import polars as pl

from data.interactions import Ints
from data.vocabulary import Vocabulary
from kg.triples import Triples, distinct


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


def _all(vocabularies) -> Vocabulary:
    return Vocabulary(sorted(set().union(*(one.ids for one in vocabularies))))


def _side(blocks: list[Ints]) -> Ints:
    return np.concatenate(blocks, axis=1)
