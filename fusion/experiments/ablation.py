"""What an ablation retrains: settings without one part, or with a part dealt to other items."""

from collections.abc import Sequence
from typing import Any

from trefoil.data.errors import ConfigError
from trefoil.data.suggest import closest
from trefoil.evaluation.ablation import SOURCES
from trefoil.fusion.models.listed import lines
from trefoil.fusion.settings import Settings

SHUFFLED = {f"{source}-shuffled": source for source in SOURCES}
MODELS = tuple(dict.fromkeys(line.switch for line in lines() if line.switch))
SWITCHES = (
    *(switch for switch in MODELS if "." not in switch),
    *("numbers", "scenarios", "rerank"),
)
BRANCHES = ("behaviour", "network", *(one.removesuffix(".on") for one in MODELS if "." in one))
LEAVES = (*BRANCHES, "choice", "stars", "spans", *SWITCHES)
PARTS = (*LEAVES, *SHUFFLED)


def arms(parts: Sequence[str]) -> dict[str, str]:
    """What to retrain for these parts: a part by the name of its row in tables.

    "text" and "graph" bring their shuffled arm along: a source has earned its
    place only if the real one beats both. Raises ConfigError for another word.
    """
    wanted: dict[str, str] = {}
    for part in parts:
        if part not in PARTS:
            raise ConfigError(f"--ablate {part!r}: {closest(part, PARTS)}")
        if part not in SHUFFLED:
            wanted[f"without {part}"] = part
        source = SHUFFLED.get(part, part)
        if source in SHUFFLED.values():
            wanted[f"shuffled {source}"] = f"{source}-shuffled"
    return wanted


def ablated(settings: Settings, part: str) -> Settings:
    """The same settings without a leaf, a task or the scenario part, or with one shuffled.

    Raises ConfigError for another word, or where nothing would be left to learn from.
    """
    if part not in PARTS:
        raise ConfigError(f"--ablate {part!r}: {closest(part, PARTS)}")
    tree: dict[str, Any] = settings.model_dump()
    if part in SHUFFLED:
        tree[SHUFFLED[part]]["shuffle"] = True
    elif part in ("choice", "stars"):
        tree["tasks"][part] = 0.0
    elif part in SWITCHES:
        tree[part] = False
    elif part == "spans":
        tree["behaviour"][part] = False
    else:
        tree[part]["on"] = False
    return Settings.model_validate(tree)
