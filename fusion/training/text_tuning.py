"""The text encoder taught by training events, before anything is learned from its vectors."""

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from trefoil.data.dataset import Dataset
from trefoil.data.errors import ConfigError
from trefoil.data.interactions import Interactions
from trefoil.data.progress import Progress
from trefoil.encoders.text.adapters import Adapter, Tuner
from trefoil.encoders.text.encoder import TextEncoder, Whitening
from trefoil.encoders.text.precision import halves
from trefoil.encoders.text.reader import Reader
from trefoil.encoders.text.sentence_model import inner_of
from trefoil.encoders.text.static import encoder_of
from trefoil.encoders.text.taught import Lesson, Teaching, teach
from trefoil.encoders.view import View
from trefoil.fusion.features.shuffling import permuted
from trefoil.fusion.features.texts import Texts
from trefoil.fusion.features.training_data import TrainingData
from trefoil.fusion.features.validation import Validation
from trefoil.fusion.features.wordings import wordings_of
from trefoil.fusion.models.alike import DECAYS
from trefoil.fusion.models.listed import line_of
from trefoil.fusion.models.nearest_texts import NearestTexts, nearest
from trefoil.fusion.models.profiles import profile_scores
from trefoil.fusion.network.inputs import TrainingInputs, network_inputs_of, training_inputs_of
from trefoil.fusion.network.module import JointNetwork
from trefoil.fusion.network.scorers import order_scores
from trefoil.fusion.network.tasks.base import Task
from trefoil.fusion.network.text_rows import TextRows
from trefoil.fusion.network.trainer import Trainer
from trefoil.fusion.network.training import config_of
from trefoil.fusion.record import Record
from trefoil.fusion.settings import Settings

FEWEST = 100  # pairs of items below which nothing is taught


def taught_texts(
    dataset: Dataset,
    train: Interactions,
    texts: Texts,
    known: TrainingData,
    validation: Validation,
    settings: Settings,
    record: Record,
    progress: Progress | None = None,
    tasks: Sequence[Task] = (),
) -> Texts:
    """The texts of a dataset as they are read by an encoder that learned from training events.

    Raises ConfigError where the encoder has nothing to learn with.
    """
    began = time.process_time()
    said = _dealt(dataset.items.texts, texts.items, settings)
    parts = texts, said, known, validation, settings, record, progress
    if settings.fine_tuning.taught_by == "network":
        inputs = training_inputs_of(dataset, train, known, settings, behaviour=False, tasks=tasks)
        found = by_network(*parts, replace(inputs, wordings=None))  # of texts as nobody taught
    else:
        found = by_cooccurrence(*parts)
    reads = found.items, found.encoder, found.whitening
    wordings = wordings_of(said, *reads, settings.text, settings.seed)
    record.fine_tuning = {**record.fine_tuning, "seconds": time.process_time() - began}
    return replace(found, wordings=wordings)


def by_cooccurrence(
    texts: Texts,
    said: Sequence[str | None],
    known: TrainingData,
    validation: Validation,
    settings: Settings,
    record: Record,
    progress: Progress | None = None,
) -> Texts:
    """The texts as they are read by an encoder that learned which items come together.

    ``said`` are the texts of the items. The epoch is chosen on validation, by NDCG@10 of the
    nearest texts where that base model is on, else of sums of cosines with a history. Raises
    ConfigError where the encoder has nothing to learn with.
    """
    part = settings.fine_tuning
    raw, _ = texts.encoder.encode(said)
    pairs = known.history.followers(known.matrix.shape[1], part.ahead)
    together = (pairs + pairs.T).tocsr()
    together.setdiag(0)
    together.eliminate_zeros()
    record.fine_tuning = {"method": part.method, "pairs": int(together.sum() / 2)}
    if together.nnz < 2 * FEWEST:  # each pair stands there twice
        return texts
    lesson = lesson_of(settings)
    teaching = Teaching(raw, texts.whitening, together, lesson)
    reader = None
    if part.method != "linear":
        reader = reader_of(texts.encoder, said, lesson, part.model_epochs)

    near = line_of("nearest-texts").on(settings, known)

    def look(view: View) -> float:
        if near:
            table = nearest(view.vectors, np.arange(len(view.vectors)))
            return validation.ndcg(NearestTexts(table, DECAYS[-1]).score(validation.cases))
        return validation.ndcg(profile_scores(view.vectors.numpy(), validation.cases))

    tell = (lambda done: progress(done, lesson.epochs, "fine-tuning texts")) if progress else None
    taught = teach(teaching, look, None, tell)
    record.fine_tuning = {**record.fine_tuning, "marks": taught.marks}
    if reader is not None:  # the map is cheap: what it can learn the model need not
        teaching.begin(taught.whitening, replace(lesson, epochs=part.model_epochs))
        map_alone, taught = taught, teach(teaching, look, reader, tell)
        record.fine_tuning = {**record.fine_tuning, "model_marks": taught.marks}
        taught = taught if taught.adapter is not None else map_alone
    if taught.adapter is None:
        return replace(texts, whitening=taught.whitening, items=taught.whitening(raw))
    record.fine_tuning = {**record.fine_tuning, "bytes": taught.adapter.nbytes}
    return _read_anew(texts, taught.whitening, taught.adapter, said, progress)


def by_network(
    texts: Texts,
    said: Sequence[str | None],
    known: TrainingData,
    validation: Validation,
    settings: Settings,
    record: Record,
    progress: Progress | None,
    inputs: TrainingInputs,
) -> Texts:
    """The texts as they are read by an encoder that learned within a joint network.

    The network is of this stage alone: what reads texts is fitted afterwards, from one
    reading of them all. The look is chosen on validation, by NDCG@10 of the network.
    """
    part = settings.fine_tuning
    lesson = replace(lesson_of(settings), epochs=settings.network.epochs)
    reader = reader_of(texts.encoder, said, lesson, lesson.epochs)
    rows = TextRows(
        reader, texts.whitening, texts.items.known, part.texts_per_step, part.learning_rate
    )
    config = config_of(settings, inputs, behaviour=False)
    network = JointNetwork(network_inputs_of(known, inputs, settings), config)
    inputs.start(network)
    generator = torch.Generator().manual_seed(settings.seed)
    rng, device = np.random.default_rng(settings.seed), torch.device("cpu")
    trainer = Trainer(network, inputs, settings, generator, rng, device, texts=rows)
    averaged, stopping = trainer.learning.averaged, trainer.learning.stopping["ranking"]
    best, marks = reader.tuner.taken(), list[float]()
    for _ in trainer.rounds():
        marks.append(validation.ndcg(order_scores(averaged, validation.cases)))
        if marks[-1] > stopping.best:
            best = reader.tuner.taken()
        stopping.look(marks[-1])
        if progress:
            progress(trainer.learning.epoch, settings.network.epochs, "fine-tuning texts")
    record.fine_tuning = {"method": part.method, "marks": marks, "bytes": best.nbytes}
    return _read_anew(texts, texts.whitening, best, said, progress)


def _read_anew(
    texts: Texts,
    whitening: Whitening,
    adapter: Adapter,
    said: Sequence[str | None],
    progress: Progress | None,
) -> Texts:
    """All texts, read by the encoder with what it learned."""
    encoder = replace(texts.encoder, adapter=adapter)
    raw, _ = encoder.encode(said, progress)
    return Texts(encoder, whitening, whitening(raw))


def lesson_of(settings: Settings) -> Lesson:
    """How the encoder is taught."""
    part = settings.fine_tuning
    return Lesson(
        part.method,
        part.rank,
        part.epochs,
        part.patience,
        part.batch_size,
        part.accumulate,
        part.learning_rate,
        part.map_rate,
        part.temperature,
        part.popularity,
        part.candidates,
        part.max_tokens,
        part.checkpointing,
        part.precision,
        settings.seed,
    )


def reader_of(
    encoder: TextEncoder, said: Sequence[str | None], lesson: Lesson, epochs: int
) -> Reader:
    """The language model of an encoder with what may learn in it, and the texts it reads.

    Raises ConfigError where texts are read by no language model.
    """
    static = encoder_of(encoder.model)[1]
    found = None if static or encoder.model == "ngrams" else encoder.alone()
    if found is None:
        raise ConfigError(
            f"fine_tuning.method={lesson.method!r}: no language model reads these texts, but "
            f"{encoder.model!r}; set fine_tuning.method=linear, or text.model to one"
        )
    told = sum(1 for one in said if one)
    steps = epochs * max(1, told // (lesson.batch_size * lesson.accumulate))
    tuner = Tuner(inner_of(found.model), lesson.method, lesson.rank, steps)
    ways = {"checkpointing": lesson.checkpointing, "half": halves(lesson.precision, encoder.device)}
    return Reader(found.model, tuner, said, lesson.max_tokens, **ways)


def _dealt(said: Sequence[str | None], items: View, settings: Settings) -> Sequence[str | None]:
    """The texts as items have them; where a control deals them, as they were dealt."""
    if not settings.text.shuffle:
        return said
    return [said[row] for row in permuted(items.known.numpy(), settings.seed)]
