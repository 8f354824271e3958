"""What an ablation retrains: settings without one part, or with a part dealt to other items."""

from collections.abc import Sequence
from typing import Any

from trefoil.data.errors import ConfigError
from trefoil.data.suggest import closest
from trefoil.evaluation.ablation import SOURCES
from trefoil.fusion.settings import Settings

SHUFFLED = {f"{source}-shuffled": source for source in SOURCES}
# What switches base models off, as ``fusion.models.listed`` has it: a test holds both together,
# and ``--help`` need not wait for what base models are made of.
MODELS = (
    *("linear.on", "factors", "random_walks", "next_item", "cooccurrence", "returning"),
    *("graph.on", "text.on", "nearest_texts", "item_fields", "user_attributes"),
    *("recent_popularity", "rating_process"),
)
SWITCHES = (
    *(switch for switch in MODELS if "." not in switch),
    *("item_attributes", "scenarios", "reranker"),
)
BRANCHES = ("behaviour", "network", *(one.removesuffix(".on") for one in MODELS if "." in one))
TASKS = ("category", "rating", "corpus")
EARLIER = {"choice": "category", "stars": "rating", "spans": "time_gaps", **Settings.earlier}
PARTS = (*BRANCHES, *TASKS, "time_gaps", *SWITCHES, *SHUFFLED)


def variants(parts: Sequence[str]) -> dict[str, str]:
    """What to retrain for these parts: a part by the name of its row in tables.

    "text" and "graph" bring their shuffled variant along: a source has earned its
    place only if the real one beats both. Raises ConfigError for another word.
    """
    trainings: dict[str, str] = {}
    for given in parts:
        part = EARLIER.get(given, given)
        if part not in PARTS:
            raise ConfigError(f"--ablate {part!r}: {closest(part, PARTS)}")
        if part not in SHUFFLED:
            trainings[f"without {part}"] = part
        source = SHUFFLED.get(part, part)
        if source in SHUFFLED.values():
            trainings[f"shuffled {source}"] = f"{source}-shuffled"
    return trainings


def ablated(settings: Settings, part: str) -> Settings:
    """The same settings without a base model, a task or the scenario part, or with one shuffled.

    Raises ConfigError for another word, or where nothing would be left to learn from.
    """
    if part not in PARTS:
        raise ConfigError(f"--ablate {part!r}: {closest(part, PARTS)}")
    tree: dict[str, Any] = settings.model_dump()
    if part in SHUFFLED:
        tree[SHUFFLED[part]]["shuffle"] = True
    elif part in TASKS:
        tree["tasks"][part] = 0.0
    elif part in SWITCHES:
        tree[part] = False
    elif part == "time_gaps":
        tree["behaviour"][part] = False
    else:
        tree[part]["on"] = False
    return Settings.model_validate(tree)
