"""Several shops as one dataset: whose items, whose people, and one of them alone."""

import numpy as np
import pytest

from trefoil.data import ConfigError, read_dataset, split_events
from trefoil.data.domains import DOMAIN, alone, domain_codes

COLUMNS = '[interactions]\nfile = "events.csv"\nuser = "who"\nitem = "what"\ntime = "at"\n'


def shop(folder, rows, more=""):
    folder.mkdir(parents=True)
    (folder / "dataset.toml").write_text(COLUMNS + more, "utf-8")
    lines = ["who,what,at", *(f"{who},{what},{at}" for who, what, at in rows)]
    (folder / "events.csv").write_text("\n".join(lines) + "\n", "utf-8")


def shops(folder, more=""):
    """Ann and Bob buy books, Bob and Eve films; "1" is a book and a film."""
    times = range(1_600_000_000, 1_600_000_004)
    shop(
        folder / "books",
        [(who, what, at) for who in ("ann", "bob") for what, at in zip("1234", times, strict=True)],
    )
    shop(
        folder / "films",
        [
            (who, what, at + 10)
            for who in ("bob", "eve")
            for what, at in zip("1567", times, strict=True)
        ],
    )
    told = more + '[[domains]]\npath = "films"\n[[domains]]\npath = "books"\n'
    (folder / "dataset.toml").write_text(told, "utf-8")
    return folder


def test_items_of_one_id_are_two_and_people_of_one_id_are_one(tmp_path):
    dataset = read_dataset(shops(tmp_path))
    assert dataset.domains == ("books", "films")
    assert set(dataset.users.vocabulary.ids) == {"ann", "bob", "eve"}
    assert {"books:1", "films:1"} < set(dataset.items.vocabulary.ids)
    codes = domain_codes(dataset.items, dataset.domains)
    names = [one.split(":")[0] for one in dataset.items.vocabulary.ids]
    assert codes is not None
    assert [dataset.domains[code] for code in codes] == names
    of_event = dataset.interactions.scenario[DOMAIN]
    assert (of_event.codes == codes[dataset.interactions.item]).all()
    assert dataset.report.counts["users_of_several_domains"] == 1
    bob = dataset.users.vocabulary.row("bob")
    mine = dataset.interactions.take(dataset.interactions.user == bob)
    assert len(mine) == 8
    assert (np.diff(mine.at) > 0).all()


def test_people_who_are_apart_are_of_their_domain(tmp_path):
    dataset = read_dataset(shops(tmp_path, 'users = "apart"\n'))
    assert set(dataset.users.vocabulary.ids) == {"books:ann", "books:bob", "films:bob", "films:eve"}
    assert dataset.report.counts["users_of_several_domains"] == 0


def test_the_order_in_which_domains_are_named_changes_nothing(tmp_path):
    first = read_dataset(shops(tmp_path / "one"))
    folder = shops(tmp_path / "two")
    told = '[[domains]]\npath = "books"\n[[domains]]\npath = "films"\n'
    (folder / "dataset.toml").write_text(told, "utf-8")
    assert read_dataset(folder).fingerprint == first.fingerprint


def test_one_domain_alone_has_its_events_divided_as_they_were(tmp_path):
    more = "[split]\nby = 'leave-one-out'\n"
    folder = shops(tmp_path)
    (folder / "dataset.toml").write_text((folder / "dataset.toml").read_text() + more, "utf-8")
    dataset = read_dataset(folder)
    split = split_events(dataset, 0)
    films, own = alone(dataset, split, "films")
    assert films.domains == ("films",)
    assert films.items.vocabulary.ids == ("films:1", "films:5", "films:6", "films:7")
    assert len(films.interactions) == 8
    for name in ("train", "valid"):
        rows = getattr(split, name)
        events = dataset.interactions.take(rows)
        ids = {
            (u, dataset.items.vocabulary[i]) for u, i in zip(events.user, events.item, strict=True)
        }
        inner = films.interactions.take(getattr(own, name))
        found = {
            (u, films.items.vocabulary[i]) for u, i in zip(inner.user, inner.item, strict=True)
        }
        assert found == {pair for pair in ids if pair[1].startswith("films")}
    assert len(own.open_test()) == 2  # the last of Bob and of Eve; Ann's is a book


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("[interactions]\nfile = 'a'\n", "beside \\[\\[domains\\]\\]"),
        ("licens = 'x'\n", "licens"),
        ("[[domains]]\npath = 'books'\n", "two domains are called 'books'"),
    ],
)
def test_what_cannot_be_said_of_several_domains(tmp_path, more, words):
    folder = shops(tmp_path)
    told = (folder / "dataset.toml").read_text()
    text = (
        told + more if more.startswith("[[") else more + told if "licens" in more else told + more
    )
    (folder / "dataset.toml").write_text(text, "utf-8")
    with pytest.raises(ConfigError, match=words):
        read_dataset(folder)


def test_a_graph_of_one_domain_is_refused(tmp_path):
    folder = shops(tmp_path)
    (folder / "books" / "dataset.toml").write_text(COLUMNS + '[graph]\nfiles = ["g.nt"]\n', "utf-8")
    (folder / "books" / "g.nt").write_text("<urn:item:1> <urn:by> <urn:a> .\n", "utf-8")
    with pytest.raises(ConfigError, match="leave \\[graph\\] out"):
        read_dataset(folder)
