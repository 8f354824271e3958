"""Named sources: the counts their READMEs and papers print, and the publishers' own layouts."""

import numpy as np
import pytest

from trefoil.data import SplitRule, read_dataset, split_events
from trefoil.data.sources import SOURCES


def sizes(dataset, seed=0):
    split = split_events(dataset, seed)
    counts = dataset.report.counts
    parts = (len(split.train), len(split.valid), len(split.open_test()))
    return (counts["users"], counts["items"], counts["events"]), parts


def test_the_demo_is_always_the_same_and_split_in_time():
    first, again = read_dataset("demo"), read_dataset("demo")
    assert first.fingerprint == again.fingerprint
    assert first.rule == SplitRule("time", 0.1, 0.1)
    assert set(first.interactions.scenario) == {"device", "daypart"}
    low = first.interactions.stars < 3
    assert (first.interactions.positive == ~low).all()
    assert first.report.quarantined == ()
    assert all(path.suffix == ".ttl" for path in first.graph.files)


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "folder", "size", "parts"),
    [
        ("movielens-small", "ml-latest-small-kg", (671, 9125, 100_004), None),
        ("movielens-100k", "ml-100k-dbpedia", (943, 1682, 100_000), (80_808, 9_596, 9_596)),
        ("lastfm", "lastfm-hetrec-kg", (1872, 3846, 21_173), (17_350, 1_907, 1_916)),
        ("lastfm-ctr", "lastfm-hetrec-kg", (1872, 3846, 42_346), (25_408, 8_469, 8_469)),
        ("book-crossing", "book-crossing-kg", (17_860, 14_967, 69_873), None),
        ("book-crossing-ctr", "book-crossing-kg", (17_860, 14_967, 139_746), None),
        ("frappe", "frappe-context", (957, 4082, 96_195), None),
        ("amazon", "amazon-magazine-text", (348, 2326, 2_328), None),
    ],
)
def test_sizes_are_those_that_are_published(real, name, folder, size, parts):
    dataset = read_dataset(name, root=real(folder))
    found, split = sizes(dataset)
    assert found == size
    assert parts in (None, split)
    assert dataset.report.quarantined == ()
    assert dataset.licence == SOURCES[name].licence


@pytest.mark.real
@pytest.mark.slow
def test_the_million_is_whole(real):
    found, parts = sizes(read_dataset("movielens-1m", root=real("ml-1m-text-kg")))
    assert (found, parts[2]) == ((6040, 3883, 1_000_209), 97_383)


@pytest.mark.real
def test_movielens_small_has_plots_years_genres_and_both_graphs(real):
    dataset = read_dataset("movielens-small", root=real("ml-latest-small-kg"))
    row = dataset.items.vocabulary.row("1")
    assert dataset.items.titles[row] == "Toy Story (1995)"
    assert dataset.items.texts[row].startswith("Toy Story. A little boy named Andy")
    assert dataset.items.score["year"][row] == 1995
    genres = dataset.items.category["genres"]
    mine = genres.codes[genres.start[row] : genres.start[row + 1]]
    assert [genres.names[code] for code in mine] == [
        "Adventure", "Animation", "Children", "Comedy", "Fantasy",
    ]  # fmt: skip
    assert dataset.graph.same_as
    assert len(dataset.graph.files) == 2
    assert (dataset.interactions.positive == (dataset.interactions.stars >= 4)).all()


@pytest.mark.real
def test_a_folder_of_folders_will_do_as_root(real):
    folder = real("frappe-context")
    assert read_dataset("frappe", root=folder.parent).report.counts["events"] == 96_195


@pytest.mark.real
def test_frappe_has_seven_contexts_and_a_graph_of_the_store(real):
    dataset = read_dataset("frappe", root=real("frappe-context"))
    scenario = dataset.interactions.scenario
    assert {name: len(column.names) for name, column in scenario.items()} == {
        "daytime": 7, "weekday": 7, "isweekend": 2, "homework": 3, "weather": 9,
        "country": 80, "city": 233,
    }  # fmt: skip
    assert (dataset.graph.table["relation"] == "developer").sum() > 3000


@pytest.mark.real
def test_no_context_of_frappe_tells_the_app_that_was_used(real):
    events = read_dataset("frappe", root=real("frappe-context")).interactions
    often = np.flatnonzero(np.bincount(events.item) >= 5)
    for name, column in events.scenario.items():
        pairs = np.unique(np.stack([events.item, column.codes]), axis=1)[0]
        single = np.bincount(pairs, minlength=events.item.max() + 1)[often] == 1
        assert single.mean() < 0.5, name


GENRE_FLAGS = ["0"] * 19


def test_the_publishers_own_movielens_100k_is_read(tmp_path):
    (tmp_path / "u.data").write_text("1\t7\t5\t881250949\n2\t7\t1\t891717742\n")
    comedy = "|".join("1" if i == 5 else "0" for i in range(19))
    (tmp_path / "u.item").write_bytes(
        f"7|Amélie (2001)|01-Jan-2001||http://x|{comedy}\n8|unknown||||{'|'.join(GENRE_FLAGS)}\n".encode(
            "latin-1"
        )
    )
    (tmp_path / "u.user").write_text("1|24|M|technician|85711\n2|53|F|other|94043\n")
    dataset = read_dataset("movielens-100k", root=tmp_path)
    assert dataset.items.titles == ("Amélie (2001)", "unknown")
    assert dataset.items.category["genres"].names == ("Comedy",)
    np.testing.assert_array_equal(dataset.items.score["year"], [2001, np.nan])
    assert dataset.users.score["age"].tolist() == [24, 53]
    assert dataset.interactions.stars.tolist() == [5, 1]
    assert dataset.graph is None


def test_the_publishers_own_movielens_1m_has_stars_and_times(tmp_path):
    (tmp_path / "ratings.dat").write_text("1::1193::5::978300760\n1::661::3::978302109\n")
    movies = "661::James and the Giant Peach (1996)::Animation|Musical\n1193::Café (1975)::Drama\n"
    (tmp_path / "movies.dat").write_bytes(movies.encode("latin-1"))
    (tmp_path / "users.dat").write_text("1::F::1::10::48067\n")
    dataset = read_dataset("movielens-1m", root=tmp_path)
    assert dataset.interactions.stars.tolist() == [5, 3]
    assert dataset.interactions.at.tolist() == [978300760, 978302109]
    assert dataset.items.titles == ("Café (1975)", "James and the Giant Peach (1996)")
    assert dataset.users.score["age"].tolist() == [9]


def test_the_publishers_own_movielens_small_has_no_graph(tmp_path):
    (tmp_path / "ratings.csv").write_text("userId,movieId,rating,timestamp\n1,1,4.0,964982703\n")
    (tmp_path / "movies.csv").write_text(
        'movieId,title,genres\n1,"Heat, The (2013)",Action|Comedy\n'
    )
    dataset = read_dataset("movielens-small", root=tmp_path)
    assert dataset.graph is None
    assert dataset.items.titles == ("Heat, The (2013)",)
    assert dataset.items.texts == ("Heat, The",)


@pytest.mark.parametrize("names", [True, False])
def test_a_downloaded_lastfm_has_names_from_the_publisher(tmp_path, names):
    for folder in ("mcclk", "kgcn"):
        (tmp_path / folder).mkdir()
    pairs = np.array([[0, 0, 1], [0, 1, 0], [1, 1, 1]], np.int32)
    np.save(tmp_path / "mcclk" / "ratings_final.npy", pairs)
    np.save(tmp_path / "mcclk" / "kg_final.npy", np.array([[0, 0, 2], [1, 1, 2]], np.int32))
    (tmp_path / "kgcn" / "kg.txt").write_text("0\tmusic.genre\t2\n1\tmusic.origin\t2\n")
    (tmp_path / "kgcn" / "item_index2entity_id.txt").write_text("52\t0\n51\t1\n")
    if names:
        rows = 'id\tname\turl\tpictureURL\n51\tDuran "D" Duran\tu\tp\n52\tMorcheeba\tu\tp\n'
        (tmp_path / "artists.dat").write_text(rows)
    dataset = read_dataset("lastfm", root=tmp_path)
    expected = ("Morcheeba", 'Duran "D" Duran') if names else (None, None)
    assert dataset.items.titles == expected
    assert dataset.graph.table["relation"].to_list() == ["music.genre", "music.origin"]
    assert len(read_dataset("lastfm-ctr", root=tmp_path).interactions) == 3


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY damaged", b"not an array"])
def test_a_damaged_array_is_named(tmp_path, content):
    (tmp_path / "mcclk").mkdir()
    (tmp_path / "mcclk" / "ratings_final.npy").write_bytes(content)
    with pytest.raises(ValueError, match=r"ratings_final\.npy: no readable array"):
        read_dataset("lastfm", root=tmp_path)


@pytest.mark.real
def test_file_order_decides_the_last_event_of_415_users_of_movielens_100k(real):
    dataset = read_dataset("movielens-100k", root=real("ml-100k-dbpedia"))
    proof = split_events(dataset, 0, SplitRule("leave-one-out")).proof
    assert (proof.train, proof.valid, proof.test) == (98_114, 943, 943)
    assert (proof.ties, proof.late_users) == (415, 0)
