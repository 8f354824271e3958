"""The data sets of single papers: what is given stays as given, and sizes are those published."""

import numpy as np
import pytest
import source_samples as samples
from source_samples import ITEMS, USERS, pairs

from benchmarks.papers import LASTFM_COLAKG, LASTFM_KGCN, MOVIELENS_1M_COLAKG, read_map
from trefoil.data import read_dataset, split_events
from trefoil.kg.construction.build import build


def test_an_id_stands_behind_the_number_beside_it(tmp_path):
    (tmp_path / "map.txt").write_text("seventy 2\nten 0\nthree 1\n", "utf-8")
    assert read_map(tmp_path / "map.txt").tolist() == ["ten", "three", "seventy"]


@pytest.mark.parametrize(
    ("source", "write", "first"),
    [(MOVIELENS_1M_COLAKG, samples.movielens_1m, 1), (LASTFM_COLAKG, samples.lastfm, 51)],
)
def test_a_given_split_stays_as_given_under_the_ids_of_the_publisher(
    source, write, first, tmp_path
):
    write(tmp_path)
    dataset = read_dataset(source, root=tmp_path)
    split = split_events(dataset, 0)
    events = dataset.interactions.take(split.open_test())
    ids = dataset.items.vocabulary.ids
    asked = sorted(int(ids[item]) - first for item in events.item)
    assert asked == sorted(item for _, item in pairs()[5::6])


def test_the_graph_of_kgcn_alone_has_its_edges_and_no_others(tmp_path):
    samples.lastfm(tmp_path)
    dataset = read_dataset(LASTFM_KGCN, root=tmp_path)
    counts = dataset.report.counts
    assert (counts["users"], counts["items"], counts["events"]) == (USERS, ITEMS, len(pairs()))
    alone = build(dataset, np.zeros(0, np.int64))
    both = build(read_dataset("lastfm", root=tmp_path), np.zeros(0, np.int64))
    own = ("Item", "MUSIC_GENRE", "Entity")
    assert sorted(both.edges[own].source) == sorted(alone.edges[own].source)
    assert "GENRE" not in {relation for _, relation, _ in alone.edges}


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "folder", "size", "test"),
    [
        (LASTFM_KGCN, "lastfm-hetrec-kg", (1872, 3846, 21_173), 1_916),
        (LASTFM_COLAKG, "lastfm-hetrec-kg", (1859, 2813, 71_294), None),
        (MOVIELENS_1M_COLAKG, "ml-1m-text-kg", (6040, 3260, 998_539), 197_321),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_sizes_are_those_that_are_published(real, source, folder, size, test):
    dataset = read_dataset(source, root=real(folder))
    counts = dataset.report.counts
    assert (counts["users"], counts["items"], counts["events"]) == size
    assert test in (None, len(split_events(dataset, 0).open_test()))
    assert dataset.report.quarantined == ()
    assert (dataset.name, dataset.licence) == (source.name, source.licence)


@pytest.mark.real
def test_lastfm_items_are_their_own_entities_with_names_and_relations(real):
    dataset = read_dataset(LASTFM_KGCN, root=real("lastfm-hetrec-kg"))
    row = dataset.items.vocabulary.row("0")
    assert dataset.items.titles[row] == "Diary of Dreams"
    assert "gothic" in dataset.items.texts[row]
    table = dataset.graph.table
    assert (len(table), table["relation"].n_unique()) == (15_518, 60)
    assert len(set(table["head"]) | set(table["tail"])) == 9_366
    assert "music.artist.origin" in set(table["relation"])
    assert dataset.graph.iri == "{id}"
    assert dataset.report.counts["items_with_title"] == 3_182
