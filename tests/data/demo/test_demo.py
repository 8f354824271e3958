"""The embedded demo: what the film catalogue holds, and what the simulated audience plants."""

import re
from collections import Counter

import numpy as np
import polars as pl
import pytest
from pyoxigraph import Literal, NamedNode, RdfFormat, parse

from trefoil.data.demo import read_catalogue, simulate, turtle_files
from trefoil.data.demo.catalogue import ITEM, SCHEMA, TREFOIL, TYPE
from trefoil.data.demo.tastes import link_films

CLASSES = {
    "person": SCHEMA + "Person",
    "genre": TREFOIL + "Genre",
    "theme": TREFOIL + "Theme",
    "mood": TREFOIL + "Mood",
    "country": SCHEMA + "Country",
}


@pytest.fixture(scope="module")
def catalogue():
    return read_catalogue()


@pytest.fixture(scope="module")
def statements():
    return [
        statement
        for path in turtle_files()
        for statement in parse(path=str(path), format=RdfFormat.TURTLE)
    ]


@pytest.fixture(scope="module")
def events(catalogue):
    return simulate(catalogue)


@pytest.fixture(scope="module")
def arrays(catalogue, events):
    """User row, film row of every event, in order of time."""
    place = {film.item_id: row for row, film in enumerate(catalogue.films)}
    user = events["user_id"].str.strip_prefix("user-").cast(pl.Int64).to_numpy()
    return user, np.array([place[item] for item in events["item_id"]])


def counts(user, film, users, films):
    table = np.zeros((users, films))
    np.add.at(table, (user, film), 1.0)
    return table


def unit_links(catalogue):
    """Films against the entities that join them, each film a vector of length 1."""
    links = link_films(catalogue).weights
    return links / np.linalg.norm(links, axis=1, keepdims=True)


def recall_at_10(scores, seen, held_out):
    """Mean over users with a held-out film of hits among ten, divided by held-out films."""
    users = np.flatnonzero(held_out.sum(axis=1))
    ranked = np.argsort(-np.where(seen[users] > 0, -np.inf, scores[users]), axis=1, kind="stable")
    hits = np.take_along_axis(held_out[users], ranked[:, :10], axis=1).sum(axis=1)
    return (hits / held_out[users].sum(axis=1)).mean()


def linear_scores(seen, ridge=100.0):
    """EASE (Steck 2019): the closed-form item-item model."""
    inverse = np.linalg.inv(seen.T @ seen + ridge * np.eye(seen.shape[1]))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    return seen @ weights


def test_catalogue_has_over_300_films_from_every_decade_and_many_countries(catalogue):
    assert len(catalogue.films) > 300
    decades = Counter(film.year // 10 * 10 for film in catalogue.films)
    assert sorted(decades) == list(range(1920, 2030, 10))
    assert min(decades.values()) >= 10
    assert len({name for names in catalogue.named("country") for name in names}) >= 30


def test_every_iri_is_declared_and_every_declared_iri_is_used(statements):
    declared = {s.subject.value for s in statements if s.predicate.value == TYPE}
    used = {
        s.object.value
        for s in statements
        if isinstance(s.object, NamedNode) and s.predicate.value != TYPE
    }
    films = {iri for iri in declared if iri.startswith(ITEM)}
    assert {s.subject.value for s in statements} == declared
    assert used == declared - films


def test_every_entity_has_one_class_and_one_name(statements):
    classes = {(s.subject.value, s.object.value) for s in statements if s.predicate.value == TYPE}
    named = Counter(s.subject.value for s in statements if s.predicate.value == SCHEMA + "name")
    assert set(named.values()) == {1}
    assert Counter(iri for iri, _ in classes) == named
    for iri, kind in classes:
        prefix = iri.removeprefix(TREFOIL).split(":")[0]
        assert iri.startswith(ITEM) or prefix.startswith("decade-") or CLASSES[prefix] == kind


def test_vocabulary_is_controlled(catalogue):
    sizes = {
        relation: len({name for names in catalogue.named(relation) for name in names})
        for relation in ("genre", "theme", "mood")
    }
    assert sizes["genre"] <= 20
    assert 40 <= sizes["theme"] <= 60
    assert sizes["mood"] <= 15


def test_every_film_is_complete(catalogue):
    bounds = {
        "director": (1, 3),
        "actor": (2, 4),
        "genre": (1, 3),
        "country": (1, 2),
        "theme": (2, 4),
        "mood": (1, 2),
        "era": (1, 1),
    }
    for film in catalogue.films:
        for relation, (least, most) in bounds.items():
            assert least <= len(film.links[relation]) <= most, (film.item_id, relation)
        assert 15 <= len(film.synopsis.split()) <= 30, film.item_id
        assert film.synopsis.endswith("."), film.item_id
        assert film.links["era"] == (f"{TREFOIL}decade-{film.year // 10 * 10}s",)


def test_ids_are_unique_ascii_slugs_that_end_in_the_year(catalogue):
    ids = [film.item_id for film in catalogue.films]
    assert len(set(ids)) == len(ids)
    for film in catalogue.films:
        assert re.fullmatch(rf"[a-z0-9]+(-[a-z0-9]+)*-{film.year}", film.item_id)


def test_people_link_films(catalogue):
    credits = Counter(
        iri
        for film in catalogue.films
        for iri in set(film.links["director"]) | set(film.links["actor"])
    )
    assert sum(count > 1 for count in credits.values()) > 300
    joined = sum(
        any(credits[iri] > 1 for iri in film.links["director"] + film.links["actor"])
        for film in catalogue.films
    )
    assert joined > 0.8 * len(catalogue.films)


def test_synopses_are_each_written_once(statements):
    texts = [s.object.value for s in statements if s.predicate.value == SCHEMA + "abstract"]
    assert all(isinstance(s.object, Literal) for s in statements if "abstract" in str(s.predicate))
    assert len(set(texts)) == len(texts)


def test_items_table_holds_one_row_per_film(catalogue):
    items = catalogue.items
    assert items.columns == ["item_id", "title", "year", "genre", "country", "synopsis"]
    assert items.null_count().sum_horizontal().item() == 0
    vertigo = items.row(by_predicate=pl.col("item_id") == "vertigo-1958", named=True)
    assert vertigo["title"] == "Vertigo"
    assert vertigo["genre"] == "mystery|romance|thriller"
    assert vertigo["country"] == "United States"


def test_known_facts_are_read_as_written(catalogue):
    place = {film.item_id: row for row, film in enumerate(catalogue.films)}
    directors, actors = catalogue.named("director"), catalogue.named("actor")
    assert directors[place["seven-samurai-1954"]] == ("Akira Kurosawa",)
    assert "Toshiro Mifune" in actors[place["seven-samurai-1954"]]
    assert directors[place["portrait-of-a-lady-on-fire-2019"]] == ("Céline Sciamma",)


def test_same_seed_gives_the_same_events_and_another_seed_others(catalogue, events):
    assert simulate(catalogue).equals(events)
    assert not simulate(catalogue, seed=1).equals(events)


def test_events_have_the_promised_size_columns_and_values(catalogue, events):
    assert len(events) == 15_000
    assert events["user_id"].n_unique() == 600
    assert events.schema == {
        "user_id": pl.String,
        "item_id": pl.String,
        "rating": pl.Float64,
        "at": pl.Int64,
        "kind": pl.String,
        "device": pl.String,
        "daypart": pl.String,
    }
    assert set(events["kind"]) == {"view", "finish"}
    assert set(events["device"]) == {"phone", "tv", "laptop"}
    assert set(events["daypart"]) == {"morning", "afternoon", "evening", "night"}
    assert set(events["item_id"]) <= {film.item_id for film in catalogue.films}
    assert set(events["rating"].drop_nulls() * 2) <= set(range(1, 11))
    assert 0.65 < events["rating"].is_not_null().mean() < 0.75
    assert events["at"].is_sorted()
    assert 700 < (events["at"].max() - events["at"].min()) / 86_400 <= 730


def test_dayparts_agree_with_the_clock(events):
    names = {0: "night", 1: "morning", 2: "afternoon", 3: "evening"}
    hours = (events["at"] % 86_400 // 21_600).replace_strict(names)
    assert (hours == events["daypart"]).all()


def test_nobody_sees_a_film_twice(events):
    assert events.select("user_id", "item_id").is_duplicated().sum() == 0


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_late_films_have_no_event_before_the_last_part_of_the_log(catalogue, seed):
    events = simulate(catalogue, seed=seed)
    first = events.group_by("item_id").agg(pl.col("at").min())
    start, end = events["at"].min(), events["at"].max()
    late = first.filter(pl.col("at") >= start + 0.88 * (end - start))["item_id"]
    assert 0.06 < len(late) / len(catalogue.films) < 0.14
    train = events.head(len(events) * 8 // 10)
    assert not set(train["item_id"]) & set(late)
    test = events.tail(len(events) // 10)
    assert 0.08 < test["item_id"].is_in(late.implode()).mean() < 0.3


def test_new_users_join_over_time(events):
    first = events.group_by("user_id").agg(pl.col("at").min())["at"]
    quarter = events["at"].min() + (events["at"].max() - events["at"].min()) // 4
    assert 0.25 < (first > quarter).mean() < 0.5


def test_popularity_is_long_tailed(catalogue, arrays):
    seen = np.sort(np.bincount(arrays[1], minlength=len(catalogue.films)))[::-1]
    tenth = len(seen) // 10
    assert seen[:tenth].sum() > 0.3 * seen.sum()
    assert seen[-5 * tenth :].sum() < 0.25 * seen.sum()


def test_scenario_shifts_the_share_of_moods(catalogue, events):
    ids = [film.item_id for film in catalogue.films]
    place = {item: set(m) for item, m in zip(ids, catalogue.named("mood"), strict=True)}
    dark = np.array([bool(place[item] & {"dark", "haunting"}) for item in events["item_id"]])
    light = np.array([bool(place[item] & {"playful", "warm"}) for item in events["item_id"]])
    night_tv = ((events["daypart"] == "night") & (events["device"] == "tv")).to_numpy()
    morning_phone = ((events["daypart"] == "morning") & (events["device"] == "phone")).to_numpy()
    assert dark[night_tv].mean() > 1.5 * dark[morning_phone].mean()
    assert light[morning_phone].mean() > 1.5 * light[night_tv].mean()


def test_liked_films_are_rated_higher_and_finished_more_often(catalogue, events, arrays):
    """Half of a user's films describe the user; the others are rated by how alike they are."""
    user, film = arrays
    links = unit_links(catalogue)
    known = np.arange(len(user)) % 2 == 0
    profile = counts(user[known], film[known], user.max() + 1, len(links)) @ links
    profile /= np.maximum(np.linalg.norm(profile, axis=1, keepdims=True), 1e-12)
    alike = (profile[user] * links[film]).sum(axis=1)[~known]
    rating = events["rating"].to_numpy()[~known]
    rated = ~np.isnan(rating)
    assert np.corrcoef(alike[rated], rating[rated])[0, 1] > 0.15
    means = events.group_by("kind").agg(pl.col("rating").mean()).sort("kind")["rating"]
    assert means[0] > means[1] + 0.3  # finish, view


def test_next_film_resembles_the_last_one_more_than_an_earlier_one(catalogue, arrays):
    links = unit_links(catalogue)
    alike = links @ links.T
    user, film = arrays
    near, far = [], []
    for row in range(user.max() + 1):
        seen = film[user == row]
        near.extend(alike[seen[10:], seen[9:-1]])
        far.extend(alike[seen[10:], seen[:-10]])
    error = np.hypot(np.std(near) / len(near) ** 0.5, np.std(far) / len(far) ** 0.5)
    assert np.mean(near) > np.mean(far) + 5 * error


def test_linear_model_beats_popularity_and_popularity_beats_chance(catalogue, arrays):
    user, film = arrays
    size = (user.max() + 1, len(catalogue.films))
    cut = len(user) * 9 // 10
    seen, held_out = counts(user[:cut], film[:cut], *size), counts(user[cut:], film[cut:], *size)
    popular = recall_at_10(np.tile(seen.sum(axis=0), (size[0], 1)), seen, held_out)
    linear = recall_at_10(linear_scores(seen), seen, held_out)
    assert popular > 3 * 10 / len(catalogue.films)
    assert 1.5 * popular < linear < 3 * popular


def test_graph_ranks_cold_films_by_what_they_share_with_a_history(catalogue, arrays):
    user, film = arrays
    size = (user.max() + 1, len(catalogue.films))
    cut = len(user) * 9 // 10
    seen, held_out = counts(user[:cut], film[:cut], *size), counts(user[cut:], film[cut:], *size)
    cold = counts(user[: len(user) * 8 // 10], film[: len(user) * 8 // 10], *size).sum(axis=0) == 0
    links = unit_links(catalogue)
    scores = np.where(cold, seen @ (links @ links.T), -np.inf)
    assert recall_at_10(scores, seen, held_out * cold) > 2 * 10 / cold.sum()


@pytest.mark.parametrize(("users", "events"), [(0, 100), (600, 100), (10, 10_000)])
def test_impossible_sizes_are_refused_with_the_limits(catalogue, users, events):
    with pytest.raises(ValueError, match=r"per user"):
        simulate(catalogue, users=users, events=events)
