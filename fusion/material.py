"""What a dataset holds, in the forms that leaves, networks and choices read."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from data.dataset import Dataset
from data.histories import Histories
from data.interactions import Floats, Interactions
from data.split import Split
from encoders.text import TextEncoder, Whitening
from encoders.view import View
from evaluation.exam import Exam
from evaluation.protocol import exam_for
from fusion.ablation import dealt
from fusion.batch import Groups, Windows
from fusion.fit import Progress
from fusion.known import Known
from fusion.network import Evidence
from fusion.people import attributes_of
from fusion.record import Record
from fusion.settings import Settings
from fusion.texts import Texts, as_read
from fusion.trainer import Lessons
from fusion.transfer import Source
from kg.facts import Facts, item_facts
from kg.graph import KnowledgeGraph


def read_texts(
    dataset: Dataset,
    settings: Settings,
    device: torch.device,
    progress: Progress | None,
    record: Record,
    source: Source | None,
) -> Texts | None:
    """Item texts, encoded and whitened; None where there are none to read.

    ``record`` is told the encoder's warnings; ``source`` may bring its whitening.
    """
    part = settings.text
    if not part.on or not any(dataset.items.texts):
        return None
    encoder = TextEncoder(
        part.model, part.revision, part.max_tokens, part.batch, device=str(device)
    )
    raw, warnings = encoder.encode(dataset.items.texts, progress)
    record.text_warnings = warnings
    if int(raw.known.sum()) < 3:
        return None
    if part.shuffle:
        rows = torch.from_numpy(dealt(raw.known.numpy(), settings.seed))
        raw = View(raw.vectors[rows], raw.known[rows])
    encoder = as_read(encoder, warnings)
    whitening = source.whitening_for(encoder) if source else None
    whitening = whitening or Whitening.fit(raw, part.width)
    return Texts(encoder, whitening, whitening(raw))


def known_of(
    dataset: Dataset,
    train: Interactions,
    graph: KnowledgeGraph | None,
    texts: Texts | None,
    settings: Settings,
    *,
    returning: bool,
) -> Known:
    """Training events and what is said of items and people, as settings allow."""
    facts: Facts | None = None
    if settings.graph.on and graph is not None:
        facts = item_facts(graph).shared(settings.graph.shared_by)
        if settings.graph.shuffle:
            rows = dealt(np.diff(facts.matrix.indptr) > 0, settings.seed)
            facts = replace(facts, matrix=facts.matrix[rows])
        if not facts.matrix.nnz:
            facts = None
    history = Histories.of(train, len(dataset.users))
    matrix = history.matrix(len(dataset.items))
    timed = settings.behaviour.on and train.at is not None
    text = texts.items if texts else None
    numbers = _numbers(dataset, settings) if settings.numbers else {}
    attributes = attributes_of(dataset.users) if settings.attributes else None
    parts = train, matrix, history, facts, text, timed, returning
    return Known(*parts, numbers=numbers, attributes=attributes)


def _numbers(dataset: Dataset, settings: Settings) -> dict[str, Floats]:
    """The number columns of the items that say anything, dealt like facts where these are."""
    known = {name: ~np.isnan(one) for name, one in dataset.items.score.items()}
    columns = {name: one for name, one in dataset.items.score.items() if known[name].any()}
    if settings.graph.shuffle:
        return {name: one[dealt(known[name], settings.seed)] for name, one in columns.items()}
    return columns


def validation_exam(dataset: Dataset, split: Split) -> Exam:
    """What every choice is made on: all items ranked, by context where people return to items."""
    return exam_for(dataset, split, "valid")


def evidence_of(dataset: Dataset, known: Known, settings: Settings) -> Evidence:
    """What a network reads."""
    facts = known.facts if settings.graph.in_network else None
    text = known.text if settings.text.in_network else None
    scenarios = None
    if settings.scenarios and known.events.scenario:
        scenarios = {name: len(column.names) for name, column in known.events.scenario.items()}
    return Evidence(
        known.matrix,
        facts.matrix if facts else None,
        facts.relation if facts else None,
        facts.entity if facts else None,
        text.vectors if text else None,
        _categories(dataset)[1] if settings.tasks.choice else 0,
        len(known.numbers) if settings.tasks.numbers else 0,
        scenarios,
    )


def _categories(dataset: Dataset) -> tuple[Tensor | None, int]:
    """Category shares per item over all category columns side by side, and how many there are."""
    columns = [labels.matrix() for labels in dataset.items.category.values()]
    if not columns:
        return None, 0
    member = torch.from_numpy(np.concatenate(columns, axis=1)).float()
    return member / member.sum(1, keepdim=True).clamp(min=1), member.shape[1]


def lessons_of(
    dataset: Dataset, train: Interactions, known: Known, settings: Settings, *, behaviour: bool
) -> Lessons:
    """What a network learns from."""
    share = _categories(dataset)[0] if settings.tasks.choice else None
    windows = Windows(known.history, settings.behaviour.max_events) if behaviour else None
    groups = Groups.of(train, scenarios=settings.scenarios)
    numbers = _standard(known) if settings.tasks.numbers else None
    return Lessons(groups, windows, share, train, numbers, known.returning)


def _standard(known: Known) -> Tensor | None:
    """The numbers of the items [items, C], each column with mean zero and variance one."""
    if not known.numbers:
        return None
    table = np.stack(list(known.numbers.values()), axis=1)
    spread = np.maximum(np.nanstd(table, axis=0), 1e-6)
    return torch.from_numpy((table - np.nanmean(table, axis=0)) / spread)
