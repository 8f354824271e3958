"""A corpus: texts with classes or numbers, and rows that say nothing."""

import numpy as np
import pytest

from trefoil.data import ConfigError, read_dataset
from trefoil.data.errors import DataError

EVENTS = '[interactions]\nfile = "events.csv"\nuser = "u"\nitem = "i"\n'


def folder_of(folder, rows, more):
    (folder / "events.csv").write_text("u,i\na,1\na,2\nb,1\n", "utf-8")
    (folder / "texts.csv").write_text("said,topic,worth\n" + "\n".join(rows) + "\n", "utf-8")
    told = EVENTS + '[corpus]\nfile = "texts.csv"\ntext = "said"\n' + more
    (folder / "dataset.toml").write_text(told, "utf-8")
    return folder


ROWS = ("a lamp,light,3", "a rope,,4", ",light,5", "a nail,iron,", "a thing,,")


def test_rows_with_a_text_and_something_told_are_kept(tmp_path):
    both = 'label = "topic"\nnumber = "worth"\n'
    corpus = read_dataset(folder_of(tmp_path, ROWS, both)).corpus
    assert corpus is not None
    assert corpus.texts == ("a lamp", "a rope", "a nail")
    assert corpus.classes is not None
    assert corpus.classes.names == ("iron", "light")
    assert corpus.classes.codes.tolist() == [1, -1, 0]
    assert corpus.numbers is not None
    assert np.array_equal(corpus.numbers, [3, 4, np.nan], equal_nan=True)


def test_a_corpus_changes_the_fingerprint_and_stands_in_the_report(tmp_path):
    one = read_dataset(folder_of(tmp_path, ROWS, 'label = "topic"\n'))
    assert one.report.counts["corpus_texts"] == 2
    other = read_dataset(folder_of(tmp_path, ("a lamp,iron,3", *ROWS[1:]), 'label = "topic"\n'))
    (tmp_path / "dataset.toml").write_text(EVENTS, "utf-8")
    without = read_dataset(tmp_path)
    assert without.corpus is None
    assert len({one.fingerprint, other.fingerprint, without.fingerprint}) == 3


@pytest.mark.parametrize(
    ("more", "fault", "words"),
    [
        ("", ConfigError, "neither label nor number"),
        ('lable = "topic"\n', ConfigError, "label"),
        ('number = "topic"\n', DataError, "no row of the corpus"),
    ],
)
def test_what_a_corpus_cannot_be(tmp_path, more, fault, words):
    with pytest.raises(fault, match=words):
        read_dataset(folder_of(tmp_path, ROWS[:1], more))
