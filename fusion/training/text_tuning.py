"""The text encoder taught by training events, before anything is learned from its vectors."""

import time
from collections.abc import Sequence
from dataclasses import replace

from trefoil.data.errors import ConfigError
from trefoil.data.progress import Progress
from trefoil.encoders.text.adapters import Tuner
from trefoil.encoders.text.encoder import TextEncoder
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
from trefoil.fusion.models.profiles import profile_scores
from trefoil.fusion.record import Record
from trefoil.fusion.settings import Settings

FEWEST = 100  # pairs of items below which nothing is taught


def taught_texts(
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
    sums of cosines with a history. Raises ConfigError where the encoder has nothing to learn with.
    """
    part, began = settings.fine_tuning, time.process_time()
    said = _dealt(said, texts.items, settings)
    raw, _ = texts.encoder.encode(said)
    pairs = known.history.followers(known.matrix.shape[1], part.ahead)
    together = (pairs + pairs.T).tocsr()
    together.setdiag(0)
    together.eliminate_zeros()
    record.fine_tuning = {"method": part.method, "pairs": int(together.sum() / 2)}
    if together.nnz < FEWEST:
        return texts
    lesson = lesson_of(settings)
    teaching = Teaching(raw, texts.whitening, together, lesson)
    reader = None if part.method == "linear" else reader_of(texts.encoder, said, lesson)

    def look(view: View) -> float:
        scores = profile_scores(view.vectors.numpy(), validation.cases)
        return validation.ndcg(scores)

    tell = (lambda done: progress(done, lesson.epochs, "fine-tuning texts")) if progress else None
    taught = teach(teaching, look, reader, tell)
    record.fine_tuning |= {"marks": taught.marks, "seconds": time.process_time() - began}
    encoder, whitening = texts.encoder, taught.whitening
    if taught.adapter is not None:
        record.fine_tuning |= {"bytes": taught.adapter.nbytes}
        encoder = replace(encoder, adapter=taught.adapter)
        raw, _ = encoder.encode(said, progress)
    items = whitening(raw)
    wordings = wordings_of(said, items, encoder, whitening, settings.text, settings.seed)
    return Texts(encoder, whitening, items, wordings)


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
        part.precision == "bfloat16",
        settings.seed,
    )


def reader_of(encoder: TextEncoder, said: Sequence[str | None], lesson: Lesson) -> Reader:
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
    steps = lesson.epochs * max(1, told // (lesson.batch_size * lesson.accumulate))
    tuner = Tuner(inner_of(found.model), lesson.method, lesson.rank, steps)
    ways = {"checkpointing": lesson.checkpointing, "half": lesson.half}
    return Reader(found.model, tuner, said, lesson.max_tokens, **ways)


def _dealt(said: Sequence[str | None], items: View, settings: Settings) -> Sequence[str | None]:
    """The texts as items have them; where a control deals them, as they were dealt."""
    if not settings.text.shuffle:
        return said
    return [said[row] for row in permuted(items.known.numpy(), settings.seed)]
