"""What a dataset holds, in the forms that base models, networks and choices read."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from scipy import sparse

from trefoil.data.dataset import Dataset, SplitRule
from trefoil.data.domains import domain_codes
from trefoil.data.errors import DataError
from trefoil.data.histories import Histories
from trefoil.data.interactions import Floats, Interactions
from trefoil.data.progress import Progress
from trefoil.data.split import Split, split_events
from trefoil.encoders.text.encoder import TextEncoder, Whitening
from trefoil.encoders.text.precision import halves
from trefoil.encoders.text.static import static_of
from trefoil.encoders.view import View
from trefoil.evaluation.exam import Exam
from trefoil.evaluation.protocols.protocols import exam_for
from trefoil.fusion.features.corpus import corpus_texts
from trefoil.fusion.features.fields import WORDS, dealt, fields_of
from trefoil.fusion.features.shuffling import permuted
from trefoil.fusion.features.texts import Texts, as_read
from trefoil.fusion.features.training_data import MOST_ITEMS, TrainingData
from trefoil.fusion.features.user_attributes import attributes_of
from trefoil.fusion.features.wordings import wordings_of
from trefoil.fusion.record import Record
from trefoil.fusion.settings import Settings
from trefoil.kg.graph import KnowledgeGraph
from trefoil.kg.item_facts import Facts, item_facts
from trefoil.kg.item_numbers import item_numbers


def read_texts(
    dataset: Dataset,
    settings: Settings,
    device: torch.device,
    progress: Progress | None,
    record: Record,
    kept: Callable[[TextEncoder], Whitening | None] | None,
) -> Texts | None:
    """Item texts, encoded and whitened; None where there are none to read.

    ``record`` is told the encoder's warnings; ``kept`` gives the whitening of
    an earlier run for an encoder, where it has one.
    """
    part = settings.text
    if not part.on or part.model == WORDS or not any(dataset.items.texts):
        return None
    many = distinct(dataset.items.texts) > settings.large_items
    model = static_of(part.model) if many else part.model
    sizes = part.max_tokens, part.batch_size
    encoder = TextEncoder(
        model,
        part.revision,
        *sizes,
        device=str(device),
        pooling=part.pooling,
        half=halves(part.precision, device),
    )
    raw, warnings = encoder.encode(dataset.items.texts, progress)
    record.text_warnings = warnings
    if int(raw.known.sum()) < 3:
        return None
    rows = torch.arange(len(raw.known))
    if part.shuffle:
        rows = torch.from_numpy(permuted(raw.known.numpy(), settings.seed))
        raw = View(raw.vectors[rows], raw.known[rows])
    encoder = as_read(encoder, warnings)
    whitening = kept(encoder) if kept else None
    whitening = whitening or Whitening.fit(raw, part.dimensions)
    items, said = whitening(raw), [dataset.items.texts[row] for row in rows.tolist()]
    wordings = wordings_of(said, items, encoder, whitening, part, settings.seed)
    return Texts(encoder, whitening, items, wordings)


def distinct(texts: Sequence[str | None]) -> int:
    """How many different texts there are to read."""
    return len({text for text in texts if text})


def known_of(
    dataset: Dataset,
    train: Interactions,
    graph: KnowledgeGraph | None,
    texts: Texts | None,
    settings: Settings,
    *,
    returning: bool,
) -> TrainingData:
    """Training events and what is said of items and people, as settings allow."""
    facts: Facts | None = None
    if settings.graph.on and graph is not None:
        facts = item_facts(graph).shared(settings.graph.shared_by)
        if settings.graph.shuffle:
            rows = permuted(np.diff(facts.matrix.indptr) > 0, settings.seed)
            facts = replace(facts, matrix=facts.matrix[rows])
        if not facts.matrix.nnz:
            facts = None
    history = Histories.of(train, len(dataset.users))
    matrix = history.matrix(len(dataset.items))
    timed = settings.behaviour.on and train.at is not None
    text = texts.items if texts else None
    numbers = _numbers(dataset, graph, settings) if settings.item_attributes else {}
    told = attributes_of(dataset.users) if settings.user_attributes else None
    parts = train, matrix, history, facts, text, timed, returning
    return TrainingData(
        *parts,
        numbers=numbers,
        attributes=told and told.table,
        attribute_columns=told.columns if told else (),
        fields=_fields(dataset, settings),
        domain=domain_codes(dataset.items, dataset.domains),
        corpus=corpus_texts(dataset.corpus, texts),
        wordings=texts.wordings if texts else None,
    )


def _numbers(
    dataset: Dataset, graph: KnowledgeGraph | None, settings: Settings
) -> dict[str, Floats]:
    """The number columns of the items that say anything, dealt like facts where these are.

    Those of the graph stand beside the dataset's own, which go before where names are equal.
    """
    asked = settings.graph.on and settings.graph.numbers
    told = item_numbers(graph) if asked and graph is not None else {}
    given = {**told, **dataset.items.score}
    known = {name: ~np.isnan(one) for name, one in given.items()}
    columns = {name: one for name, one in given.items() if known[name].any()}
    if settings.graph.shuffle:
        return {name: one[permuted(known[name], settings.seed)] for name, one in columns.items()}
    return columns


def _fields(dataset: Dataset, settings: Settings) -> dict[str, sparse.csr_matrix]:
    """Words and categories of the items, dealt like texts and facts where these are.

    None where no base model would read them: unasked, of a large catalogue.
    """
    unasked = settings.item_fields == "auto" and len(dataset.items) > MOST_ITEMS
    if unasked or not settings.item_fields:
        return {}
    found = fields_of(dataset.items)
    if not settings.text.on:
        found.pop(WORDS, None)
    words, categories = settings.text.shuffle, settings.graph.shuffle
    return dealt(found, words=words, categories=categories, seed=settings.seed)


def validation_exam(dataset: Dataset, split: Split) -> Exam:
    """What every choice is made on: all items ranked, by context where people return to items."""
    return exam_for(dataset, split, "valid")


def split_of(dataset: Dataset, settings: Settings) -> Split:
    """Events divided by the settings' rule, else by the dataset's own.

    Raises ConfigError for shares that leave nothing, SplitError where the events
    cannot be divided so.
    """
    asked, own = settings.split, Dataset.checked(dataset).rule
    rule = SplitRule(
        own.by if asked.by == "dataset" else asked.by,
        own.valid if asked.valid is None else asked.valid,
        own.test if asked.test is None else asked.test,
        own.repeats,
        asked.fold,
        own.negatives,
    )
    return split_events(dataset, settings.split_seed, rule)


def learnable(dataset: Dataset, split: Split) -> Split:
    """The same split. Raises DataError where no event of its training part counts as liked."""
    events = Dataset.checked(dataset).interactions
    if events.positive[split.train].any():
        return split
    least, given = dataset.columns.get("positive_from"), events.stars
    highest = None if given is None or np.isnan(given).all() else float(np.nanmax(given))
    said = "see positive_from, positive and target in the description of its events"
    if least is not None and highest is not None:
        said = (
            f"positive_from is {least:.6g} and the highest rating {highest:.6g}; give a lower one"
        )
    raise DataError(
        f"{dataset.name!r}: none of the {len(split.train):,} training events counts as liked, so "
        f"there is nothing to learn: {said}"
    )
