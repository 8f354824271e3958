"""Reasons in a model's words: the path is said, and what is not in it never passes."""

import pytest

from trefoil.fusion.explaining.rewording import first_sentence, reworded, says_the_path
from trefoil.kg.paths.explain import Reason
from trefoil.kg.paths.statement import PathEdge, PathNode

NODES = (
    PathNode("Item", "i1", "Alien"),
    PathNode("Person", "p1", "Ridley Scott"),
    PathNode("Item", "i2", "Blade Runner"),
)
EDGES = (PathEdge("DIRECTOR", True), PathEdge("DIRECTOR", False))
REASON = Reason("because you liked *Alien*, same director: Ridley Scott", 0.7, NODES, EDGES)


@pytest.mark.parametrize(
    "said",
    [
        "You liked Alien, and this has the same director, Ridley Scott",
        "Since you liked Alien, you may enjoy this too: it has the same director, Ridley Scott",
    ],
)
def test_a_sentence_that_says_the_path_takes_the_place_of_the_plain_one(said):
    (found,) = reworded([REASON], lambda _: [f'"{said}."\nI hope this helps!'])
    assert found.text == said
    assert (found.nodes, found.edges, found.cypher) == (NODES, EDGES, REASON.cypher)


@pytest.mark.parametrize(
    "said",
    [
        "",
        "You liked Alien, and this has the same director",  # a name is missing
        "You liked Alien, also of Ridley Scott",  # what joins them is missing
        "You liked Alien and Gladiator, both with the same director, Ridley Scott",  # an item
        "You liked alien, and this has the same director, ridley scott",  # other letters
        "You liked Alien, and this has the same director and writer, Ridley Scott",  # a role
        "You liked Alien (1979), and this has the same director, Ridley Scott",  # a number
        "You liked Alien, and this thrilling film has the same director, Ridley Scott",  # praise
        "You liked Alien, and this has the same director, not Ridley Scott",  # the contrary
        "Ridley Scott liked this, with the same director, you: Alien",  # another order
        "You loved Alien, and this has the same director, Ridley Scott",  # nobody said so
    ],
)
def test_what_the_path_does_not_say_never_passes(said):
    assert not says_the_path(said, REASON)
    assert reworded([REASON], lambda _: [said]) == [REASON]


def test_the_question_holds_the_plain_wording_and_the_answer_is_cut():
    asked = []
    reworded([REASON], lambda questions: asked.extend(questions) or [""])
    assert "because you liked Alien, same director: Ridley Scott" in asked[0]
    assert first_sentence("“One. ”\nTwo") == "One"
    assert first_sentence("  ") == ""
