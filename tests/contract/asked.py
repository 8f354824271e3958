"""What is asked of a recommender before saving and after loading; also run as a script."""

import json
import sys
from pathlib import Path

import polars as pl

from trefoil.fusion.recommender import Recommender

K = 5  # items of a list
NEW = pl.DataFrame({"id": ["new-1", "new-2"], "title": ["One", "Two"], "text": ["wolf", "taxi"]})


def lists(answer):
    """An answer as plain values."""
    return [
        [one.item, one.title, one.score, one.stars, [why.text for why in one.reasons]]
        for one in answer
    ]


def asked(recommender: Recommender) -> dict:
    """Every call on the same people and items; items are added last."""
    users, items = recommender.catalogue.users.ids, recommender.catalogue.items.vocabulary.ids
    told = {name: values[0] for name, values in recommender.catalogue.scenarios.items() if values}
    ones = [lists(recommender.recommend(user, k=5)) for user in users[:6]]
    ones.append(lists(recommender.recommend(users[1], k=5, scenario=told)))
    ones.append(lists(recommender.recommend(users[2], k=5, seen="show")))
    found = {
        "one scores": [row.pop(2) for one in ones for row in one],
        "one": ones,
        "stranger": lists(recommender.recommend(history=items[:3], k=5)),
        "exam": recommender.recommend_many(users, k=5, before="test").rows(),
        "many": recommender.recommend_many(users, k=5, scenario=told).rows(),
        "similar": lists(recommender.similar(items[0], k=5)),
        "why": [
            [why.text, why.weight, why.cypher]
            for item in items[:8]
            for why in recommender.explain(users[0], item)
        ],
        "purpose": recommender.recommend(users[0], k=1).based_on.purpose,
        "record": recommender.model.record.history[0] if recommender.model.networks else [],
    }
    recommender.add_items(NEW)
    table = recommender.recommend_many(users, k=8)
    found["added"] = table.drop("score").rows()
    found["added scores"] = table["score"].to_list()
    return found


if __name__ == "__main__":
    runs = [Path(one) for one in sys.argv[1:]]
    print(json.dumps({run.name: asked(Recommender.load(run, live=False)) for run in runs}))
