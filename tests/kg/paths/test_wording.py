"""Reasons in words: what a person would say, for predicates of real vocabularies."""

import pytest

from trefoil.kg.paths.diversify import DIRECT, PEOPLE, SHARED, TWO_STEPS
from trefoil.kg.paths.predicates import predicate
from trefoil.kg.paths.wording import wording

BOTH = {  # relation of both items to N: what follows "because you liked *X*"
    "DIRECTOR": ", also directed by N",
    "DIRECTORS": ", also directed by N",
    "directedBy": ", also directed by N",
    "film.film.directed_by": ", also directed by N",
    "FILM_FILM_DIRECTOR": ", also directed by N",
    "http://dbpedia.org/ontology/director": ", also directed by N",
    "http://www.wikidata.org/prop/direct/screenwriter": ", also written by N",
    "schema_author": ", also written by N",
    "CAST_MEMBER": ", also with N",
    "STARRING": ", also with N",
    "TV_PROGRAM_REGULAR_CAST": ", also with N",
    "MUSIC_COMPOSER": ", also with music by N",
    "DIRECTOR_OF_PHOTOGRAPHY": ", also filmed by N",
    "PRODUCTION_COMPANY": ", also made by N",
    "MUSIC_ALBUM_ARTIST": ", also by N",
    "RECORD_LABEL": ", also on N",
    "COUNTRY_OF_ORIGIN": ", also from N",
    "PEOPLE_PERSON_NATIONALITY": ", also from N",
    "ORIGINAL_LANGUAGE": ", also in N",
    "ERA": ", also of the N",
    "MAIN_SUBJECT": ", also about N",
    "GENRE": ", same genre: N",
    "FILM_FILM_GENRE": ", same genre: N",
    "hasTheme": ", same theme: N",
    "IN_YEAR": ", same year: N",
    "PLACE_OF_BIRTH": ", same place of birth: N",
    "MUSIC_ARTIST_TRACK": ", same track: N",
    "isPartOf": ", also part of N",
    "PART_OF_SERIES": ", same part of series: N",
    "BASED_ON": ", also based on N",
    "inspiredBy": ", also inspired by N",
    "FILMED_IN": ", also filmed in N",
    "SEQUEL_OF": ", also a sequel of N",
    "MEMBER_OF": ", also a member of N",
    "SIMILAR_TO": ", also similar to N",
    "DEPICTS": ", and this also depicts N",
    "^BAND_MEMBER": ", also a band member of N",
    "^ASSOCIATED_BAND": ", also an associated band of N",
    "^PART_OF": ": N is part of both",
    "^influencedBy": ": N is influenced by both",
    "^DEPICTS": ": N depicts both",
}


@pytest.mark.parametrize("relation", BOTH)
def test_two_items_with_the_same(relation):
    assert (
        wording(SHARED, "X", [relation, relation], ["N"])
        == "because you liked *X*" + BOTH[relation]
    )


@pytest.mark.parametrize(
    ("relation", "said"),
    [
        ("DIRECTOR", ", the director of this"),
        ("^DIRECTOR", ", and this is its director"),
        ("SEQUEL_OF", ", and this is a sequel of it"),
        ("^SEQUEL_OF", ", which is a sequel of this"),
        ("basedOn", ", and this is based on it"),
        ("^PART_OF", ", which is part of this"),
        ("FOLLOWS", ", and this follows it"),
        ("^FOLLOWS", ", which follows this"),
        ("^BAND_MEMBER", ", and this is its band member"),
    ],
)
def test_an_item_that_is_joined_to_one_of_the_history(relation, said):
    assert wording(DIRECT, "X", [relation], []) == "because you liked *X*" + said


@pytest.mark.parametrize(
    ("relations", "said"),
    [
        (["DIRECTOR", "ACTOR"], ", whose director N is an actor here"),
        (["CAST", "STARRING"], ", also with N"),  # two names of one thing
        (["directedBy", "writtenBy"], ": it is directed by N, and this is written by N"),
        (["^BAND_MEMBER", "PRODUCER"], ": it is a band member of N, and here the producer is N"),
        (["PART_OF", "^BASED_ON"], ": it is part of N, and N is based on this"),
    ],
)
def test_one_entity_in_two_roles(relations, said):
    assert wording(SHARED, "X", relations, ["N"]) == "because you liked *X*" + said


def test_paths_over_two_entities_and_over_people():
    relations = ["RECORD_LABEL", "PART_OF", "PUBLISHER"]
    assert wording(TWO_STEPS, "X", relations, ["A", "B"], "had") == (
        "because you had *X*: its record label is A, A is part of B, and here the publisher is B"
    )
    assert wording(TWO_STEPS, "X", ["GENRE", "PARENT", "GENRE"], ["A", "B"]) == (
        "because you liked *X*: its genre is A, the parent of A is B, and here the genre is B"
    )
    assert wording(PEOPLE, "X", [], []) == (
        "because you liked *X*, and people who liked it also liked this"
    )


def test_a_node_without_a_name_is_said_by_what_it_is():
    said = wording(SHARED, "X", ["CONTAINS", "CONTAINS"], ["a shared customer order"])
    assert said == "because you liked *X*, by a shared customer order"


@pytest.mark.parametrize("name", ["_", "^^", "123", "P57", "日本", "a" * 300, "IS", "BY", "HAS"])
def test_any_name_is_said_somehow(name):
    assert predicate(name).words
    for kind, relations, names in ((SHARED, [name] * 2, ["N"]), (DIRECT, [f"^{name}"], [])):
        assert wording(kind, "X", relations, names).startswith("because you liked *X*")
