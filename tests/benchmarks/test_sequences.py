"""Sets of sequences: the order of the file is kept, or drawn anew within a day and nowhere else."""

import gzip

import numpy as np
import pytest

from benchmarks.sequences import BEAUTY, BEAUTY_SHUFFLED, MOVIELENS_1M_ORDERED, SCIENTIFIC
from trefoil.data import read_dataset, split_events
from trefoil.data.histories import Histories
from trefoil.data.interactions import DAY_S


def written(folder, **files):
    for name, text in files.items():
        (folder / f"{name}.gz").write_bytes(gzip.compress(text.encode()))


def beauty(folder, users=30):
    """Histories of eight items: five of one day, in the order of their numbers, three later."""
    gaps = [0, 0, 0, 0, 0, 2 * DAY_S, 0, DAY_S]
    written(
        folder,
        **{
            "sequences.txt": "".join(f"u{u} 1 2 3 4 5 6 7 8\n" for u in range(users)),
            "gaps_seconds.txt": "".join(f"u{u} {' '.join(map(str, gaps))}\n" for u in range(users)),
            "items.tsv": "id\ttitle\tattributes\n"
            + "".join(f"{i}\tSoap {i}\tOPI|Nails\n" for i in range(1, 9)),
        },
    )


def order(source, folder):
    dataset = read_dataset(source, root=folder)
    history = Histories.of(dataset.interactions, len(dataset.users))
    ids = np.array([int(one) for one in dataset.items.vocabulary.ids])
    assert history.at is not None
    return ids[history.item].reshape(-1, 8), history.at.reshape(-1, 8) // DAY_S


def test_the_order_of_the_file_is_kept_and_days_with_it(tmp_path):
    beauty(tmp_path)
    items, day = order(BEAUTY, tmp_path)
    assert (items == np.arange(1, 9)).all()
    assert (day == [0, 0, 0, 0, 0, 2, 2, 3]).all()


def test_an_order_drawn_anew_leaves_every_event_on_its_day(tmp_path):
    beauty(tmp_path)
    items, day = order(BEAUTY_SHUFFLED, tmp_path)
    assert (day == [0, 0, 0, 0, 0, 2, 2, 3]).all()
    assert (np.sort(items[:, :5]) == np.arange(1, 6)).all()
    assert (items[:, 7] == 8).all()
    ascending = (np.diff(items[:, :5]) > 0).mean()
    assert 0.3 < ascending < 0.7  # 120 pairs: a half, give or take .05


def test_events_of_one_second_and_without_a_time_keep_the_order_of_the_file(tmp_path):
    written(
        tmp_path,
        **{
            "sequences.txt": "".join(f"{u} 9 8 7 6 5\n" for u in range(3)),
            "times.txt": "".join(f"{u} - 1000 1000 - 999\n" for u in range(3)),
        },
    )
    dataset = read_dataset(MOVIELENS_1M_ORDERED, root=tmp_path)
    history = Histories.of(dataset.interactions, 3)
    ids = dataset.items.vocabulary.ids
    assert [ids[row] for row in history.item[:5]] == list("98765")


@pytest.mark.real
@pytest.mark.parametrize(
    ("source", "folder", "size", "later"),
    [
        (BEAUTY, "amazon-beauty-5core", (22_363, 12_101, 198_502), 0.565),
        (BEAUTY_SHUFFLED, "amazon-beauty-5core", (22_363, 12_101, 198_502), 0.565),
        (SCIENTIFIC, "amazon-scientific-text", (8_317, 4_344, 58_492), 1.0),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_sizes_are_those_of_the_files(real, source, folder, size, later):
    dataset = read_dataset(source, root=real(folder))
    counts = dataset.report.counts
    assert (counts["users"], counts["items"], counts["events"]) == size
    split = split_events(dataset, 0)
    assert len(split.open_test()) == size[0]
    history = Histories.of(dataset.interactions, size[0])
    assert history.at is not None
    day, last = history.at // DAY_S, history.start[1:] - 1
    assert (day[last] > day[last - 1]).mean() == pytest.approx(later, abs=0.001)
