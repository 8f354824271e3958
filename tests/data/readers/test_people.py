"""Forgotten people are as if never there, and pseudonyms name nobody; who has the key knows."""

import json

import polars as pl
import pytest
from planted_shop import write_shop

from trefoil.data import read_dataset
from trefoil.data.errors import ConfigError, DataError
from trefoil.data.privacy import FORGOTTEN, ForgottenPeople, pseudonym

KEY = "a secret of more than sixteen characters"


@pytest.fixture
def folder(tmp_path):
    return write_shop(tmp_path / "data")


def with_pseudonyms(folder, told="env:SHOP_KEY"):
    file = folder / "dataset.toml"
    text = file.read_text("utf-8")
    file.write_text(text.replace('user = "user_id"', f'user = "user_id"\npseudonyms = "{told}"', 1))
    return folder


def test_a_list_can_be_asked_and_not_read(tmp_path):
    people = ForgottenPeople.nobody().with_user("u7").with_user("7")
    people.write(tmp_path / FORGOTTEN)
    text = (tmp_path / FORGOTTEN).read_text("utf-8")
    assert "u7" not in json.loads(text)["forgotten"]
    again = ForgottenPeople.read(tmp_path / FORGOTTEN)
    assert [one in again for one in ("u7", "7", "u70", "u", 7)] == [True, True, False, False, False]
    assert (tmp_path / FORGOTTEN).stat().st_mode & 0o077 == 0
    assert ForgottenPeople.nobody().with_user("u7").digests != again.digests  # a key of its own
    (tmp_path / FORGOTTEN).write_text("{}", "utf-8")
    with pytest.raises(DataError, match="no list of forgotten people"):
        ForgottenPeople.read(tmp_path / FORGOTTEN)


def test_forgotten_people_are_in_no_table_and_the_lines_of_others_stay(folder):
    whole = read_dataset(folder, max_bad_share=1.0)
    with (folder / "events.csv").open("a") as file:
        file.write("u8,i0-1,many,1,tv\n")
    ForgottenPeople.nobody().with_user("u7").write(folder / FORGOTTEN)
    dataset = read_dataset(folder, max_bad_share=1.0)
    assert set(whole.users.vocabulary) - set(dataset.users.vocabulary) == {"u7"}
    assert len(whole.interactions) - len(dataset.interactions) == 8
    (bad,) = dataset.report.quarantined
    assert bad.line == len((folder / "events.csv").read_text("utf-8").splitlines())
    ForgottenPeople.nobody().with_user("u8").write(folder / "more.json")
    both = read_dataset(folder, max_bad_share=1.0, forgotten=folder / "more.json")
    assert set(whole.users.vocabulary) - set(both.users.vocabulary) == {"u7", "u8"}
    with pytest.raises(ConfigError, match="no list of forgotten people; name the file"):
        read_dataset(folder, forgotten=folder / "no.json")


def test_pseudonyms_change_names_and_nothing_else(folder, monkeypatch):
    plain = read_dataset(folder)
    monkeypatch.setenv("SHOP_KEY", KEY)
    hidden = read_dataset(with_pseudonyms(folder))
    names = {pseudonym(one, KEY): one for one in plain.users.vocabulary}
    assert set(hidden.users.vocabulary) == set(names)
    assert len(hidden.interactions) == len(plain.interactions)

    def told(dataset):
        events = dataset.interactions
        users = [names.get(one, one) for one in dataset.users.vocabulary]
        rows = zip(
            (users[row] for row in events.user),
            events.item.tolist(), events.at.tolist(), events.stars.tolist(), strict=True,
        )  # fmt: skip
        return sorted(rows), dict(zip(users, dataset.users.score["age"].tolist(), strict=True))

    assert told(hidden) == told(plain)
    assert pl.Series(list(hidden.users.vocabulary)).str.contains(r"^p[0-9a-f]{32}$").all()


def test_a_key_is_asked_of_the_environment_alone(folder, monkeypatch):
    with pytest.raises(ConfigError, match="SHOP_KEY holds 0 characters"):
        read_dataset(with_pseudonyms(folder))
    monkeypatch.setenv("SHOP_KEY", "short")
    with pytest.raises(ConfigError, match="SHOP_KEY holds 5 characters; give a secret"):
        read_dataset(folder)


def test_a_key_in_the_file_is_refused(folder):
    with pytest.raises(ConfigError, match="write env:NAME"):
        read_dataset(with_pseudonyms(folder, KEY))
