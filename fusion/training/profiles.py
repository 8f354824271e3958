"""What an instruct model says of items and of people's taste, read like any text and label."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from trefoil.data.dataset import Dataset
from trefoil.data.histories import Histories
from trefoil.data.items import Entities, Labels
from trefoil.data.progress import Progress
from trefoil.data.split import Split
from trefoil.encoders.text.writer import Writer
from trefoil.fusion.features.fields import words_of
from trefoil.fusion.settings import Settings

TASTE = "taste"  # the column of users that holds the words of their profiles
LONGEST = 300  # characters of an item's own text that the model is told
COMMON = 0.5  # share of people beyond which a word tells none from another
SHORTEST = 4  # letters of a word that is a label
ITEM = "In one sentence, say what this is like and who would enjoy it. {told}"
PERSON = "In one sentence, describe the taste of a person who liked these: {told}."

Write = Callable[[Sequence[str], Progress | None], Sequence[str]]


def with_profiles(
    dataset: Dataset,
    split: Split,
    settings: Settings,
    progress: Progress | None = None,
    write: Write | None = None,
) -> Dataset:
    """The dataset with profiles of its items and people, as settings ask; else as it is.

    An item's profile follows its text, and the words of a person's are labels in the column
    ``taste``. People's are written from training events alone. The ``profiles.most`` items with
    most training events, and as many people, have one. ``write`` stands for the instruct model.
    """
    part = settings.profiles
    if part.of == "none":
        return dataset
    writer = Writer(part.model, part.most_tokens, part.batch_size)
    train = dataset.interactions.take(split.train)
    positive = train.take(train.positive)
    items, users = dataset.items, dataset.users
    if part.of in ("items", "both"):
        rows = _busiest(np.bincount(positive.item, minlength=len(items)), part.most)
        told = _written(
            rows,
            [item_told(items, row) for row in rows.tolist()],
            ITEM,
            write or writer.write,
            progress,
        )
        texts = [_joined(text, told.get(row)) for row, text in enumerate(items.texts)]
        dataset = replace(dataset, items=replace(items, texts=tuple(texts)))
    if part.of in ("users", "both"):
        history = Histories.of(train, len(users))
        rows = _busiest(history.lengths, part.most)
        liked = [liked_told(items, history, row, part.liked) for row in rows.tolist()]
        own = replace(writer, of_people=True)
        told = _written(rows, liked, PERSON, write or own.write, progress)
        labels = taste_labels([told.get(row) for row in range(len(users))])
        category = {**users.category, TASTE: labels}
        dataset = replace(dataset, users=replace(users, category=category))
    return dataset


def item_told(items: Entities, row: int) -> str:
    """Title, categories and the beginning of the text of an item; empty where nothing is known."""
    parts = [items.titles[row] or ""]
    for name, labels in items.category.items():
        codes = labels.codes[labels.start[row] : labels.start[row + 1]].tolist()
        parts += [f"{name}: {', '.join(labels.names[one] for one in codes)}"] if codes else []
    text = items.texts[row]
    parts += [text[:LONGEST]] if text and text != items.titles[row] else []
    return ". ".join(one for one in parts if one)


def liked_told(items: Entities, history: Histories, row: int, most: int) -> str:
    """Titles of what a person liked last, the newest first; empty without any."""
    own = history.item[history.start[row] : history.start[row + 1]][::-1]
    titles = [title for one in dict.fromkeys(own.tolist()) if (title := items.titles[one])]
    return "; ".join(titles[:most])


def taste_labels(said: Sequence[str | None]) -> Labels:
    """The words of each profile, without short ones and those that most profiles have."""
    words = [[one for one in words_of(text) if len(one) >= SHORTEST] for text in said]
    counts = Counter(word for one in words for word in one)
    written = sum(1 for text in said if text)
    names = [word for word, count in counts.items() if count <= COMMON * written]
    code = {word: at for at, word in enumerate(names)}
    codes = [[code[word] for word in one if word in code] for one in words]
    start = np.concatenate([[0], np.cumsum([len(one) for one in codes])]).astype(np.int64)
    return Labels(start, np.array([at for one in codes for at in one], np.int64), tuple(names))


def _busiest(counts: np.ndarray, most: int) -> np.ndarray:
    """Rows with most events; equal counts keep row order, rows without any are left out."""
    order = np.argsort(-counts, kind="stable")[:most]
    return order[counts[order] > 0]


def _written(
    rows: np.ndarray, told: Sequence[str], asked: str, write: Write, progress: Progress | None
) -> Mapping[int, str]:
    """What was written of each row of which anything could be told."""
    pairs = [
        (row, asked.format(told=one)) for row, one in zip(rows.tolist(), told, strict=True) if one
    ]
    answers = write([question for _, question in pairs], progress)
    return {row: " ".join(a.split()) for (row, _), a in zip(pairs, answers, strict=True)}


def _joined(text: str | None, profile: str | None) -> str | None:
    return " ".join(one for one in (text, profile) if one) or None
