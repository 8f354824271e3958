"""What a run knows of items, for measures that compare lists by it."""

from trefoil.evaluation.table import Knowledge
from trefoil.fusion.recommender import Recommender


def knowledge(recommender: Recommender) -> Knowledge:
    """What the run knows of items by text and graph, to compare lists by.

    Texts are taken back from unit variance to their own directions: whitened ones
    are all about equally far apart.
    """
    known, texts = recommender.model.known, recommender.model.texts
    return Knowledge(
        None
        if known.text is None or texts is None
        else (known.text.vectors / texts.whitening.directions.norm(dim=0)).numpy(),
        None if known.facts is None else known.facts.matrix,
    )
